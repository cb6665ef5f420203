// Bodies as JSON.
import { StagewireError } from './error.ts';
import { messageOf } from './loss.ts';

/** The text; or BAD_REQUEST for what JSON can't say, as `undefined` or a BigInt. */
export function jsonOf(body: unknown): string | StagewireError {
  try {
    const text = JSON.stringify(body) as string | undefined;
    return text ?? new StagewireError('BAD_REQUEST', `JSON can not say ${typeof body}.`);
  } catch (thrown) {
    return new StagewireError('BAD_REQUEST', `JSON can not say this: ${messageOf(thrown)}`);
  }
}
