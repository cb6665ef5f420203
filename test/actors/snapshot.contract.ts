// What every kind with snapshots keeps to: a load with one makes the same state as a load without, and one that is worth
// nothing makes no difference but a warning.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { AnyKind } from '../../src/actors/actor.ts';
import type { StateSnapshot } from '../../src/actors/state-snapshot.ts';
import { decodeSnapshot, encodeSnapshot, type Snapshot } from '../../src/storage/snapshot.ts';
import { FakeShared } from '../support/fake-shared.ts';
import { FakeStorage } from '../support/fake-storage.ts';
import { Actor, durableOf, stepsOf, type KindSamples } from './kind-actor.ts';
import { rounds } from './test-shard.ts';

/** After so long an actor that has written something has a snapshot in Redis. */
const snapshotMs = 12_000;

/** The state as loaded from rows alone. */
async function plainState(kind: AnyKind, samples: KindSamples, storage: FakeStorage): Promise<unknown> {
  const { snapshot: _none, ...without } = kind;
  return durableOf(samples)(await new Actor(without, samples, { storage }).copyOfState());
}

async function pass(actor: Actor, byMs: number): Promise<void> {
  actor.shard.clock.advance(byMs);
  await rounds();
}

export function snapshotRules(kind: AnyKind, { form }: StateSnapshot<never>, samples: KindSamples): void {
  const durable = durableOf(samples);

  test(`[SNAP4] ${kind.name}: a snapshot and the rows since make the state that the rows alone make`, async () => {
    let shortLoads = 0;
    await fc.assert(
      fc.asyncProperty(stepsOf(samples), stepsOf(samples), async (before, after) => {
        const around = { storage: new FakeStorage(), shared: new FakeShared() };
        if (samples.stored) await around.storage.commit([samples.stored]);
        const actor = new Actor(kind, samples, around);
        await actor.run(before);
        await pass(actor, snapshotMs);
        const taken = around.shared.snapshots.get(actor.key);
        await actor.run(after);
        await pass(actor, snapshotMs);
        if (taken) around.shared.snapshots.set(actor.key, taken);
        const again = new Actor(kind, samples, around);
        expect(durable(await again.copyOfState())).toEqual(await plainState(kind, samples, around.storage));
        expect(again.shard.warnings).toEqual([]);
        shortLoads += again.shortLoads;
      }),
      { numRuns: 40, seed: 4 },
    );
    expect(shortLoads).toBeGreaterThan(20);
  });

  test(`[SNAP5] ${kind.name}: whatever is worth nothing is ignored with a warning, and all is as without it`, async () => {
    const around = { storage: new FakeStorage(), shared: new FakeShared() };
    const actor = new Actor(kind, samples, around);
    await actor.run(fc.sample(stepsOf(samples), { numRuns: 1, seed: 5 })[0] ?? []);
    await pass(actor, snapshotMs);
    const { key } = actor;
    const good = around.shared.snapshots.get(key) ?? expect.fail('no snapshot was taken');
    const state = await plainState(kind, samples, around.storage);
    const load = async (bytes: Uint8Array): Promise<Actor> => {
      around.shared.snapshots.set(key, bytes);
      const again = new Actor(kind, samples, around);
      expect(durable(await again.copyOfState())).toEqual(state);
      return again;
    };
    expect(await load(good)).toMatchObject({ loads: 1, shortLoads: 1, shard: { warnings: [] } });
    for (const [what, bytes] of Object.entries(worthless(good, key, form))) {
      const { shortLoads, shard } = await load(bytes);
      expect([what, shortLoads, shard.warnings.length]).toEqual([what, 0, 1]);
      expect(shard.warnings[0]).toMatchObject({
        actor: key,
        what: 'snapshot in redis',
        why: expect.any(String),
      });
    }
  });
}

/** Bytes like those of a good snapshot, each worth nothing for a reason of its own. */
function worthless(good: Uint8Array, name: string, form: number): Record<string, Uint8Array> {
  const decoded = decodeSnapshot(good, name, form);
  if ('defect' in decoded) return expect.fail(decoded.defect);
  const { snapshot } = decoded;
  const like = (changed: Partial<Snapshot>): Uint8Array =>
    encodeSnapshot({ ...snapshot, ...changed }) ?? expect.fail('it is too large');
  const spoilt = Buffer.from(good);
  spoilt.writeUInt8((spoilt.at(-1) ?? 0) ^ 1, spoilt.length - 1);
  return {
    spoilt,
    cut: good.subarray(0, good.length - 1),
    empty: Buffer.alloc(0),
    text: Buffer.from('{"content": "hello"}'),
    'of another actor': like({ name: `${name}x` }),
    'of an older form': like({ form: form - 1 }),
    'of another shape': like({ data: { nothing: true } }),
    'without data': like({ data: null }),
    'of the future': like({ place: Number.MAX_SAFE_INTEGER - 10 }),
    ...(snapshot.epoch !== '' && { 'of another life': like({ epoch: 'another' }) }),
  };
}
