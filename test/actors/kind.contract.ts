// What every kind of actor keeps to, run over each of them with samples of what it takes.
import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { AnyKind } from '../../src/actors/actor.ts';
import { nothing, raw } from '../../src/actors/body.ts';
import { routesOf } from '../../src/actors/routes.ts';
import { fillDestination } from '../../src/actors/turn.ts';
import type { StreamMessage } from '../../src/link/messages.ts';
import { Actor, durableOf, idleMs, stepsOf, type CommandSample, type KindSamples } from './kind-actor.ts';
import { snapshotRules } from './snapshot.contract.ts';
import { rounds } from './test-shard.ts';

export type { CommandSample, KindSamples } from './kind-actor.ts';

const jsonText = fc.oneof(
  fc.json({ maxDepth: 3 }),
  fc.constantFrom('', '{', 'null', '[]', '1e999', '"text"', '{"__proto__":{"admin":true}}', '\uFEFF{}'),
  fc.constantFrom('[', '{"a":').map((open) => open.repeat(20_000)),
  fc.nat({ max: 60_000 }).map((length) => JSON.stringify({ content: 'x'.repeat(length) })),
);
const oddValue = fc.oneof(
  fc.jsonValue({ maxDepth: 2 }),
  fc.constantFrom('', ' ', '\0', 'x'.repeat(70_000), -1, 0.5, 2 ** 53, -0, 1e300, '__proto__'),
);

/** Bytes that are no JSON, JSON of another shape, or a good body with one field gone wrong. */
function garbageFor(good: fc.Arbitrary<CommandSample>): fc.Arbitrary<CommandSample> {
  const spoilt = fc.tuple(good, fc.nat(), oddValue, fc.boolean()).map(([sample, place, value, isGone]) => {
    if (typeof sample.json !== 'object' || sample.json === null) return { ...sample, json: value };
    const fields = Object.entries(sample.json);
    const [name] = fields[place % Math.max(fields.length, 1)] ?? ['content'];
    const others = fields.filter(([field]) => field !== name);
    return { ...sample, json: Object.fromEntries(isGone ? others : [...others, [name, value]]) };
  });
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 100 }),
    jsonText.map((text) => Buffer.from(text)),
  );
  const other = fc.tuple(good, bytes).map(([sample, body]) => ({ ...sample, body }));
  const oddParams = fc.tuple(good, fc.string(), fc.nat()).map(([sample, value, place]) => {
    const names = Object.keys(sample.params ?? {});
    if (names.length === 0) return sample;
    return { ...sample, params: { ...sample.params, [names[place % names.length] ?? '']: value } };
  });
  return fc.oneof({ weight: 3, arbitrary: spoilt }, { weight: 3, arbitrary: other }, oddParams);
}

/** @param samples undefined fails, and says what to do. */
export function kindContract(kind: AnyKind, samples: KindSamples | undefined): void {
  if (!samples) {
    test(`[ACTOR1] kind ${kind.name} has samples`, () => {
      expect.fail(`kind ${kind.name} has no samples: add them to the list in test/actors/kinds.test.ts`);
    });
    return;
  }
  describe(`kind ${kind.name}`, () => {
    shapeRules(kind, samples);
    garbageRules(kind, samples);
    stateRules(kind, samples);
    streamRules(kind, samples);
    if (kind.snapshot) snapshotRules(kind, kind.snapshot, samples);
  });
}

function shapeRules(kind: AnyKind, samples: KindSamples): void {
  test(`[ACTOR1] ${kind.name}: every command and every stream has a sample, and no other`, () => {
    expect(Object.keys(samples.commands).toSorted()).toEqual(Object.keys(kind.commands).toSorted());
    expect(Object.keys(samples.streams).toSorted()).toEqual(Object.keys(kind.streams).toSorted());
  });

  test(`[ACTOR1] ${kind.name}: each door has a place for the actor's id, unless it comes from elsewhere`, () => {
    for (const { id, pattern } of routesOf([kind])) {
      // A kind of one actor alone has no id to name.
      expect(/\{id(:\*\*)?\}/.test(pattern), pattern).toBe(id === 'path' && samples.id !== '');
    }
  });

  test(`[ACTOR1] ${kind.name}: each command succeeds with its samples now and then`, async () => {
    const succeeded = new Set<string>();
    await fc.assert(
      fc.asyncProperty(stepsOf(samples), async (steps) => {
        const actor = new Actor(kind, samples);
        await actor.run(steps);
        for (const name of actor.succeeded) succeeded.add(name);
      }),
      { numRuns: 60 },
    );
    expect([...succeeded].toSorted()).toEqual(Object.keys(kind.commands).toSorted());
  });
}

function garbageRules(kind: AnyKind, samples: KindSamples): void {
  for (const [name, good] of Object.entries(samples.commands)) {
    test(`[ACTOR2] ${kind.name}.${name}: no body breaks it, and what it refuses changes nothing`, async () => {
      await fc.assert(
        fc.asyncProperty(samples.setup, fc.array(garbageFor(good), { maxLength: 8 }), async (setup, bad) => {
          const actor = new Actor(kind, samples);
          await actor.run(setup);
          for (const sample of bad) {
            const before = await actor.copyOfState();
            const answer = await actor.ask([name, sample]);
            expect(answer).not.toMatch(/INTERNAL|no answer/);
            if (answer.startsWith('ok')) continue;
            expect(await actor.state()).toEqual(before);
          }
        }),
        { numRuns: 40 },
      );
    });
  }

  test(`[ACTOR2] ${kind.name}: bytes that are no JSON are a BAD_REQUEST to whatever reads JSON`, async () => {
    const actor = new Actor(kind, samples);
    for (const [name, { decode, roles = [] }] of Object.entries(kind.commands)) {
      if (decode === raw || decode === nothing) continue;
      for (const body of [Buffer.from([0xff, 0xfe]), '', '{', '[', 'null', '"text"', '[]', '17']) {
        expect(await actor.ask([name, { body, roles }]), `${name} ${body.toString()}`).toBe('BAD_REQUEST');
      }
    }
  });

  test(`[ACTOR2] ${kind.name}: a good command of anybody never breaks it, and a refused one changes nothing`, async () => {
    const user = fc.constantFrom('alice', 'nobody', '__proto__', 'x'.repeat(36));
    await fc.assert(
      fc.asyncProperty(stepsOf(samples), user, async (steps, other) => {
        const actor = new Actor(kind, samples);
        for (const [index, [name, sample]] of steps.entries()) {
          const before = await actor.copyOfState();
          const answer = await actor.ask([name, index % 5 === 4 ? { ...sample, user: other } : sample]);
          expect(answer).not.toMatch(/INTERNAL|no answer/);
          if (!answer.startsWith('ok')) expect(await actor.state()).toEqual(before);
        }
      }),
      { numRuns: 30 },
    );
  });
}

function stateRules(kind: AnyKind, samples: KindSamples): void {
  const durable = durableOf(samples);

  test(`[ACTOR3] ${kind.name}: the same commands make the same state, writes and messages`, async () => {
    await fc.assert(
      fc.asyncProperty(stepsOf(samples), async (steps) => {
        const outcomes = [];
        for (let time = 0; time < 2; time += 1) {
          const actor = new Actor(kind, samples);
          await actor.run(steps);
          actor.shard.clock.advance(1_000);
          const { edge, storage } = actor.shard;
          outcomes.push([await actor.state(), edge.messages, storage.commits]);
        }
        expect(isDeepStrictEqual(outcomes[0], outcomes[1])).toBe(true);
      }),
      { numRuns: 30 },
    );
  });

  test(`[ACTOR4] ${kind.name}: the state is the same after it left memory and came back`, async () => {
    await fc.assert(
      fc.asyncProperty(stepsOf(samples), async (steps) => {
        const actor = new Actor(kind, samples);
        await actor.run(steps);
        for (let time = 0; time < 3; time += 1) {
          actor.shard.clock.advance(idleMs);
          await rounds();
        }
        const { loads } = actor;
        const before = await actor.copyOfState();
        // The look at it above has loaded it, if it had left at all.
        expect(actor.loads).toBe(loads + 1);
        actor.shard.clock.advance(3 * idleMs);
        expect(durable(await actor.state())).toEqual(durable(before));
      }),
      { numRuns: 30 },
    );
  });

  test(`[ACTOR4] ${kind.name}: a state is never undefined, which stands for no state`, async () => {
    expect(await new Actor(kind, samples).state()).not.toBeUndefined();
  });
}

function streamRules(kind: AnyKind, samples: KindSamples): void {
  const durable = durableOf(samples);
  for (const [name, { user, roles = [], params = {} }] of Object.entries(samples.streams)) {
    const stream = kind.streams[name];
    const destination = fillDestination(stream?.destination ?? '', samples.id, params);
    const subscribing = { stream: name, destination, user, roles, params };

    test(`[ACTOR5] ${kind.name}.${name}: what is replayed is what was published, all of it, in order`, async () => {
      await fc.assert(
        fc.asyncProperty(samples.setup, stepsOf(samples), async (setup, steps) => {
          const actor = new Actor(kind, samples);
          const { shard, key } = actor;
          await actor.run(setup);
          const live = shard.subscribe({ ...subscribing, actor: key });
          await rounds();
          const [start] = shard.edge.starts(live);
          if (typeof start !== 'object') return expect.fail(`subscribing is refused: ${start}`);
          await actor.run(steps);
          const published = shard.edge.published(destination);
          const [, , , , epoch, head] = start;
          expect(published.filter(([, , of]) => of !== epoch)).toEqual([]);
          if (epoch === null) return;
          const again = shard.subscribe({ ...subscribing, actor: key, from: ['resume', epoch, head] });
          await rounds();
          const [replay] = shard.edge.starts(again);
          if (typeof replay !== 'object') return expect.fail(`resuming is refused: ${replay}`);
          const same = ([seq, headers, body, isText]: StreamMessage): unknown => [
            seq,
            { ...headers },
            isText,
            samples.lasting?.([seq, headers, body, isText]) ?? Buffer.from(body).toString('latin1'),
          ];
          expect(replay[3]).toBe(true);
          expect(replay[6].map(same)).toEqual(published.map(([, , , message]) => same(message)));
          expect(replay[6].map(([seq]) => seq)).toEqual(replay[6].map((_, index) => head + 1 + index));
        }),
        { numRuns: 30 },
      );
    });

    test(`[ACTOR5] ${kind.name}.${name}: whoever asks is admitted or refused, and nothing breaks`, async () => {
      const anyone = fc.record({
        user: fc.oneof(fc.constantFrom('alice', '__proto__'), fc.string({ maxLength: 36 })),
        params: fc
          .constant(Object.keys(params))
          .chain((names) => fc.record(Object.fromEntries(names.map((one) => [one, fc.string()])))),
      });
      await fc.assert(
        fc.asyncProperty(samples.setup, fc.array(anyone, { maxLength: 5 }), async (setup, askers) => {
          const actor = new Actor(kind, samples);
          if (askers.length % 2 === 0) await actor.run(setup);
          const before = durable(await actor.copyOfState());
          for (const asker of askers) {
            const number = actor.shard.subscribe({ ...subscribing, ...asker, actor: actor.key });
            await rounds();
            expect(actor.shard.edge.starts(number)).toHaveLength(1);
            expect(actor.shard.edge.starts(number)).not.toContain('INTERNAL');
          }
          expect(durable(await actor.state())).toEqual(before);
        }),
        { numRuns: 30 },
      );
    });
  }
}
