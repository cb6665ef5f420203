// Where an actor lives: a pure function of its key, the same in every thread and on every server. Its territory says
// which server may write it, the one whose claim on that is the newest (src/storage/claim.ts); within that server it
// lives on one shard. The territory comes of the upper half of the hash, which leaves the shard open: a territory has
// actors on all of them.
import { wholeTerritory } from '../storage/claim.ts';

/** FNV-1a over UTF-16 units, 32 bits, mixed once more so that keys alike in front spread over few shards too. */
function hash(key: string): number {
  let value = 0x811c9dc5;
  for (let index = 0; index < key.length; index += 1) {
    value = Math.imul(value ^ key.charCodeAt(index), 0x01000193);
  }
  value = Math.imul(value ^ (value >>> 16), 0x45d9f3b);
  return (value ^ (value >>> 16)) >>> 0;
}

/** The one territory a key lies in, of those that a database is divided into: so far it is not. */
export function territoryOf(
  key: string,
  territories: readonly [string, ...string[]] = [wholeTerritory],
): string {
  return territories[(hash(key) >>> 16) % territories.length] ?? territories[0];
}

/** @returns 0 ≤ shard < `shardCount` */
export function placement(key: string, shardCount: number): number {
  return hash(key) % shardCount;
}
