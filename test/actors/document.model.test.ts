// Documents against a model: clients that lag behind, edit what they see, and apply what comes in its order.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { documentKind } from '../../src/actors/kinds/document.ts';
import { applyTo, type Changes } from '../../src/text/changes.ts';
import { rounds, TestShard } from './test-shard.ts';

const actor = 'document/d';
const destination = '/topic/doc.d';

interface Broadcast {
  readonly operationId: string;
  readonly userId: string;
  readonly serverRevision: number;
  readonly changes: Changes;
  readonly type?: string;
}

/** One step of a client: edit at a place, after it has caught up with all but so many operations. */
const step = fc.record({
  user: fc.constantFrom('alice', 'bob', 'carol'),
  lag: fc.nat({ max: 4 }),
  place: fc.nat({ max: 1_000 }),
  edit: fc.oneof(
    fc.record({
      text: fc.string({ unit: fc.constantFrom('x', 'y', '\n', '👍'), minLength: 1, maxLength: 3 }),
    }),
    fc.record({ remove: fc.integer({ min: 1, max: 6 }) }),
    fc.record({ undo: fc.constant(true) }),
  ),
  leaves: fc.boolean(),
});
type Step = typeof step extends fc.Arbitrary<infer Value> ? Value : never;

class Editing {
  readonly shard = new TestShard({ idleMs: 60_000 }, { kinds: [documentKind] });
  /** The document at each revision, as a reader of the stream has it. */
  readonly texts = [''];

  constructor() {
    this.shard.subscribe({ actor, stream: 'operations', destination });
  }

  get broadcasts(): Broadcast[] {
    return this.shard.edge.texts(destination).map((text) => JSON.parse(text) as Broadcast);
  }

  async run({ user, lag, place, edit, leaves }: Step, index: number): Promise<string | null> {
    const operationId = `op-${index}`;
    if ('undo' in edit) return this.#ask('undo', user, { operationId });
    const revision = Math.max(0, this.texts.length - 1 - lag);
    const text = this.texts[revision] ?? '';
    const position = boundary(text, place % (text.length + 1));
    const length =
      'remove' in edit ? boundary(text, Math.min(text.length, position + edit.remove)) - position : 0;
    if ('remove' in edit && length === 0) return null;
    const operation = 'text' in edit ? { type: 'INSERT', text: edit.text } : { type: 'DELETE', length };
    const answer = await this.#ask('operation', user, { ...operation, position, revision, operationId });
    if (leaves) {
      this.shard.clock.advance(120_000);
      await rounds();
    }
    return answer;
  }

  async #ask(command: string, user: string, body: object): Promise<string | null> {
    const answer = await this.shard.answerOf(command, { actor, user, body: JSON.stringify(body) });
    for (const { changes } of this.broadcasts.slice(this.texts.length - 1)) {
      this.texts.push(applyTo(this.texts.at(-1) ?? '', changes));
    }
    return answer;
  }

  async content(): Promise<string> {
    const answer = await this.shard.answerOf('open', { actor });
    return (JSON.parse((answer ?? '').slice('ok: '.length)) as { content: string }).content;
  }
}

/** The nearest place at or before this that cuts no surrogate pair. */
function boundary(text: string, position: number): number {
  return /[\uDC00-\uDFFF]/.test(text[position] ?? '') ? position - 1 : position;
}

const count = (text: string, unit: string): number => text.split(unit).length - 1;

test('[DOC20] [DOC21] whoever applies the stream has the text of the document, however far editors lag behind', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 25 }), async (steps) => {
      const editing = new Editing();
      for (const [index, one] of steps.entries()) {
        const answer = await editing.run(one, index);
        // A concurrent edit may have joined what this one meant to cut apart.
        expect(['ok', null, 'CONFLICT']).toContain(answer);
      }
      expect(await editing.content()).toBe(editing.texts.at(-1));
      editing.shard.clock.advance(200_000);
      await rounds();
      expect(await editing.content()).toBe(editing.texts.at(-1));
      const { broadcasts } = editing;
      expect(broadcasts.map(({ serverRevision }) => serverRevision)).toEqual(broadcasts.map((_, at) => at));
    }),
    { numRuns: 60 },
  );
});

test('[DOC22] without deletes and undos no insertion is lost', async () => {
  const inserts = step.filter(({ edit }) => 'text' in edit);
  await fc.assert(
    fc.asyncProperty(fc.array(inserts, { minLength: 1, maxLength: 25 }), async (steps) => {
      const editing = new Editing();
      for (const [index, one] of steps.entries()) expect(await editing.run(one, index)).toBe('ok');
      const all = steps.map(({ edit }) => ('text' in edit ? edit.text : '')).join('');
      const content = await editing.content();
      for (const unit of ['x', 'y', '\n', '👍']) expect(count(content, unit)).toBe(count(all, unit));
    }),
    { numRuns: 40 },
  );
});

test('[DOC23] who takes back all of its own insertions leaves those of all others', async () => {
  const edits = step.filter(({ edit }) => 'text' in edit);
  await fc.assert(
    fc.asyncProperty(fc.array(edits, { minLength: 1, maxLength: 12 }), fc.nat(), async (steps, order) => {
      const editing = new Editing();
      for (const [index, one] of steps.entries()) await editing.run(one, index);
      const users = ['alice', 'bob', 'carol'];
      const left = new Set(users);
      for (const user of users.map((_, at) => users[(at + order) % 3] ?? '')) {
        for (let index = 0; ; index += 1) {
          const body = JSON.stringify({ operationId: `undo-${index}` });
          const answer = await editing.shard.answerOf('undo', { actor, user, body });
          if (answer === 'CONFLICT') break;
          expect(answer).toBe('ok');
        }
        left.delete(user);
        const others = steps.filter((one) => left.has(one.user));
        const kept = others.map(({ edit }) => ('text' in edit ? edit.text : '')).join('');
        const content = await editing.content();
        for (const unit of ['x', 'y', '\n', '👍']) expect(count(content, unit)).toBe(count(kept, unit));
      }
    }),
    { numRuns: 40 },
  );
});
