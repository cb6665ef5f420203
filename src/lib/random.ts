// The one home of chance.
import { randomBytes } from 'node:crypto';
import { v7 } from 'uuid';

/** A time-ordered unique id (UUID version 7, 36 characters): rows made together lie together in an index. */
export function newId(): string {
  return v7();
}

/** A short random name for one life of a stream: 12 hexadecimal characters. */
export function newEpoch(): string {
  return randomBytes(6).toString('hex');
}

/** `bytes` random bytes as base64url text. */
export function newSecret(bytes: number): string {
  return randomBytes(bytes).toString('base64url');
}
