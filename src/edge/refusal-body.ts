// What a client reads on `/user/queue/errors`.
import type { Refusal } from '../errors.ts';

interface Refused {
  readonly destination: string;
  /** Of the frame that was refused, if it asked for one. */
  readonly receipt: string | null | undefined;
  /** The domain's own field, such as `{roomId}`. */
  readonly subject: Readonly<Record<string, string>>;
}

export function refusalBody(
  { code, message, detail }: Refusal,
  { destination, receipt, subject }: Refused,
  nowMs: number,
): Uint8Array {
  const timestamp = new Date(nowMs).toISOString();
  const asked = receipt === null || receipt === undefined ? {} : { receipt };
  const body = { code, message, destination, ...asked, timestamp, ...subject, ...detail };
  return Buffer.from(JSON.stringify(body));
}
