// Which shard an actor lives on: a pure function of its key, the same in every thread.

/** FNV-1a over UTF-16 units, 32 bits, mixed once more so that keys alike in front spread over few shards too. */
function hash(key: string): number {
  let value = 0x811c9dc5;
  for (let index = 0; index < key.length; index += 1) {
    value = Math.imul(value ^ key.charCodeAt(index), 0x01000193);
  }
  value = Math.imul(value ^ (value >>> 16), 0x45d9f3b);
  return (value ^ (value >>> 16)) >>> 0;
}

/** @returns 0 ≤ shard < `shardCount` */
export function placement(key: string, shardCount: number): number {
  return hash(key) % shardCount;
}
