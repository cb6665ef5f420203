// The one home of chance.
import { randomBytes, randomFillSync } from 'node:crypto';
import { v7 } from 'uuid';

// Asking the system for random bytes costs far more than the bytes: they are asked for in bulk.
const idBytes = 16;
const pool = new Uint8Array(256 * idBytes);
let poolOffset = pool.length;

/** A time-ordered unique id (UUID version 7, 36 characters): rows made together lie together in an index. */
export function newId(): string {
  if (poolOffset === pool.length) {
    randomFillSync(pool);
    poolOffset = 0;
  }
  poolOffset += idBytes;
  return v7({ random: pool.subarray(poolOffset - idBytes, poolOffset) });
}

/** A short random name for one life of a stream: 12 hexadecimal characters. */
export function newEpoch(): string {
  return randomBytes(6).toString('hex');
}

/** `bytes` random bytes as base64url text. */
export function newSecret(bytes: number): string {
  return randomBytes(bytes).toString('base64url');
}

/** A number from 0 to below 1, for spreading things out; nobody's secret. */
export function chance(): number {
  return Math.random();
}

/** A whole number from 0 to 2^32 - 1. */
export function newUint32(): number {
  return randomBytes(4).readUInt32BE();
}
