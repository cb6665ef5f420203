// A shard of the kinds that have snapshots, with a store and a Redis that outlive it.
import { expect } from 'vitest';
import type { AnyKind } from '../../src/actors/actor.ts';
import { documentKind } from '../../src/actors/kinds/document.ts';
import { pricesKind } from '../../src/actors/kinds/prices.ts';
import { roomKind } from '../../src/actors/kinds/room.ts';
import { decodeSnapshot, type Snapshot } from '../../src/storage/snapshot.ts';
import { FakeShared } from '../support/fake-shared.ts';
import { FakeStorage } from '../support/fake-storage.ts';
import { rounds, TestShard } from './test-shard.ts';

const kinds: readonly AnyKind[] = [documentKind, pricesKind, roomKind];
const actor = 'document/d';
/** Redis has a snapshot so long after something was written, or one round later. */
export const redisMs = 10_000;
export const roundMs = 1_000;

let shardCount = 0;

export class Snapshots extends TestShard {
  readonly shared: FakeShared;

  constructor(storage = new FakeStorage(), shared = new FakeShared()) {
    shardCount += 1;
    super({ mailboxMax: 10_000 }, { kinds, storage, shared, ids: shardCount * 1_000_000 });
    this.shared = shared;
  }

  /** A new shard on the same store, as after a crash. */
  next(): Snapshots {
    const next = new Snapshots(this.storage, this.shared);
    next.clock.advance(this.clock.now() - next.clock.now());
    return next;
  }

  async pass(byMs: number): Promise<void> {
    this.clock.advance(byMs);
    await rounds();
  }

  async insert(text: string, of = actor): Promise<void> {
    const json = { type: 'INSERT', position: 0, text, revision: 0 };
    await this.answerOf('operation', { actor: of, body: JSON.stringify(json) });
  }

  async content(of = actor): Promise<unknown> {
    const answer = await this.answerOf('open', { actor: of });
    return answer === null ? null : (JSON.parse(answer.slice('ok: '.length)) as { content: string }).content;
  }

  /** In Redis; null where there is none. */
  inRedis(name = actor): Snapshot | null {
    return read(this.shared.snapshots.get(name), name);
  }

  async inDatabase(name: string): Promise<Snapshot | null> {
    const rows = await this.storage.query({ name: 'actorSnapshot', args: { actor: name } });
    return read(rows[0]?.body, name);
  }

  send(content: string, key: string): Promise<string | null> {
    const body = JSON.stringify({ content, clientMessageId: key });
    return this.answerOf('send', { actor: 'room/r', body });
  }
}

function read(bytes: Uint8Array | undefined, name: string): Snapshot | null {
  if (!bytes) return null;
  const decoded = decodeSnapshot(bytes, name, 1);
  return 'snapshot' in decoded ? decoded.snapshot : expect.fail(decoded.defect);
}
