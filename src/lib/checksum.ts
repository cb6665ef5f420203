// Checksums: they tell bytes that have changed by accident, not by intent.
import { crc32 } from 'node:zlib';

/** CRC-32. A text counts as its UTF-8, in which half a surrogate pair is U+FFFD. @returns 0 to 2^32 - 1. */
export function checksum(data: string | Uint8Array): number {
  return crc32(data);
}
