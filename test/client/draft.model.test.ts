// Drafts against a model: clients edit what they see, their operations reach the server late, and come back late.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Cursors } from '../../src/client/cursors.ts';
import { Draft, type Step } from '../../src/client/draft.ts';
import { applyTo, normalise, type Changes } from '../../src/text/changes.ts';
import { cutsPair } from '../../src/text/defect.ts';
import { ModelDocument, type Committed } from '../support/model-document.ts';

const clientCount = 3;
const start = 'begin 👍 here';

const action = fc.record({
  client: fc.nat({ max: clientCount - 1 }),
  what: fc.oneof(
    { weight: 4, arbitrary: fc.constant('edit' as const) },
    { weight: 3, arbitrary: fc.constant('send' as const) },
    { weight: 3, arbitrary: fc.constant('hear' as const) },
  ),
  places: fc.array(fc.nat({ max: 60 }), { minLength: 1, maxLength: 2 }),
  length: fc.nat({ max: 4 }),
  text: fc.string({ unit: fc.constantFrom('a', 'b', '\n', '👍', 'é'), maxLength: 4 }),
});
type Action = typeof action extends fc.Arbitrary<infer Value> ? Value : never;

class User {
  readonly draft = new Draft(start, 0);
  readonly sent: Step[] = [];
  readonly name: string;
  /** What the user saw, changed by what it was told. */
  shown = start;
  #ids = 0;

  constructor(name: string) {
    this.name = name;
  }

  edit({ places, length, text }: Action): void {
    const [first = 0, second] = places
      .map((place) => place % (this.draft.text.length + 1))
      .toSorted((a, b) => a - b);
    const until = Math.min(this.draft.text.length, first + length, second ?? Number.POSITIVE_INFINITY);
    const changes = [{ position: first, length: until - first, text }];
    if (second !== undefined && second >= until) changes.push({ position: second, length: 0, text: 'z' });
    if (cutsPair(normalise(changes), this.draft.text)) return;
    this.draft.edit(changes);
    this.shown = applyTo(this.shown, normalise(changes));
    this.#queue();
  }

  hear({ operationId, changes }: Committed): void {
    this.shown = applyTo(this.shown, this.draft.committedNext(operationId, changes));
    this.#queue();
  }

  #queue(): void {
    this.#ids += 1;
    const step = this.draft.next(`${this.name} ${this.#ids}`);
    if (step) this.sent.push(step);
  }
}

test('[CLIENT10] whatever is under way, all drafts end with the text of the server', () => {
  const play = (actions: readonly Action[]): void => {
    const server = new ModelDocument(start);
    const users = Array.from({ length: clientCount }, (_, index) => new User(`user-${index}`));
    const step = (user: User, what: Action['what']): boolean => {
      const next = what === 'send' ? user.sent.shift() : server.committed[user.draft.revision];
      if (!next) return false;
      if ('change' in next) server.take(next);
      else user.hear(next);
      return true;
    };
    for (const one of actions) {
      const user = users[one.client] as User;
      if (one.what === 'edit') user.edit(one);
      else step(user, one.what);
      expect(user.shown).toBe(user.draft.text);
    }
    for (let moved = true; moved;) {
      moved = users
        .map((user) => [step(user, 'send'), step(user, 'hear')])
        .flat()
        .some(Boolean);
    }
    for (const { draft, shown } of users) {
      expect(draft.isSettled).toBe(true);
      expect([draft.text, draft.committed, shown]).toEqual([server.text, server.text, server.text]);
    }
  };
  fc.assert(fc.property(fc.array(action, { maxLength: 60 }), play), { numRuns: 400 });
});

test('[CLIENT11] a place in the text goes to the committed text and back', () => {
  const play = (actions: readonly Action[], place: number): void => {
    const user = new User('alice');
    for (const one of actions) user.edit(one);
    const { draft } = user;
    const position = place % (draft.committed.length + 1);
    const there = draft.toText(position);
    expect(there).toBeLessThanOrEqual(draft.text.length);
    // A place whose surroundings are gone comes back to where they were.
    expect(draft.toText(draft.toCommitted(there))).toBeLessThanOrEqual(there);
    expect(draft.toCommitted(draft.text.length)).toBeLessThanOrEqual(draft.committed.length);
  };
  fc.assert(fc.property(fc.array(action, { maxLength: 8 }), fc.nat({ max: 60 }), play), { numRuns: 300 });
});

test('[CLIENT12] what is wrong is refused and changes nothing', () => {
  const draft = new Draft('a👍b', 7);
  expect(() => draft.edit([{ position: 5, length: 0, text: 'x' }])).toThrow(RangeError);
  expect(() => draft.edit([{ position: 2, length: 1, text: '' }])).toThrow(/surrogate pair/);
  expect(draft).toMatchObject({ text: 'a👍b', committed: 'a👍b', revision: 7, isSettled: true });
});

test('[CLIENT13] a long insertion goes in parts that cut no pair, and a replacement as insertion and deletion', () => {
  const text = `${'x'.repeat(7_999)}👍${'y'.repeat(5)}`;
  const draft = new Draft('old', 0);
  draft.edit([{ position: 0, length: 3, text }]);
  const steps: Step[] = [];
  for (let step = draft.next('0'); step; step = draft.next(String(steps.length))) {
    steps.push(step);
    expect(draft.next('another')).toBeNull();
    expect(draft.committedNext(step.operationId, [step.change])).toEqual([]);
  }
  expect(steps.map(({ change }) => [change.position, change.length, change.text.length])).toEqual([
    [0, 0, 7_999],
    [7_999, 0, 7],
    [8_006, 3, 0],
  ]);
  expect([draft.committed, draft.text, draft.revision]).toEqual([text, text, 3]);
});

test('[CLIENT14] a cursor is shown where its user has it, whichever revision it was told in', () => {
  const draft = new Draft('hello', 4);
  const cursors = new Cursors();
  const body = { docId: 'd', userId: 'bob', sessionId: 's', timestamp: '' };
  const commit = (changes: Changes): void => {
    const moved = draft.committedNext('other', changes);
    cursors.moved(moved, 'ann');
    cursors.committed({ changes, userId: 'ann' }, draft);
  };
  cursors.placed({ ...body, position: 5, anchor: 2, revision: 5 }, draft);
  expect(cursors.all).toEqual([]);
  commit([{ position: 0, length: 0, text: '> ' }]);
  expect(cursors.all).toMatchObject([{ userId: 'bob', position: 5, anchor: 2 }]);
  cursors.placed({ ...body, position: 5, anchor: 5, revision: 4 }, draft);
  expect(cursors.all).toMatchObject([{ position: 7, anchor: 7 }]);
  draft.edit([{ position: 0, length: 0, text: '# ' }]);
  cursors.moved([{ position: 0, length: 0, text: '# ' }], null);
  expect(cursors.all).toMatchObject([{ position: 9 }]);
  cursors.placed({ ...body, position: null, anchor: null, revision: 5 }, draft);
  expect(cursors.all).toEqual([]);
});
