// What a client reads on `/user/queue/errors`.
import type { Refusal } from '../errors.ts';

/** @param receipt of the frame that was refused, if it asked for one. */
export function refusalBody(
  { code, message, detail }: Refusal,
  destination: string,
  receipt: string | null | undefined,
  nowMs: number,
): Uint8Array {
  const timestamp = new Date(nowMs).toISOString();
  const asked = receipt === null || receipt === undefined ? {} : { receipt };
  return Buffer.from(JSON.stringify({ code, message, destination, ...asked, timestamp, ...detail }));
}
