// Undo and redo against a model: several users edit what they see, and each takes its own steps back and does them again.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Draft, type Step } from '../../src/client/draft.ts';
import { History } from '../../src/client/history.ts';
import { applyTo, normalise, type Changes } from '../../src/text/changes.ts';
import { ModelDocument, type Committed } from '../support/model-document.ts';

const start = 'begin here';
const alphabets = ['abc', 'ABC', '123'] as const;

const action = fc.record({
  user: fc.nat({ max: alphabets.length - 1 }),
  what: fc.constantFrom('edit', 'edit', 'undo', 'redo', 'send', 'send', 'hear', 'hear', 'hear'),
  place: fc.nat({ max: 40 }),
  length: fc.nat({ max: 4 }),
  text: fc.array(fc.nat({ max: 2 }), { maxLength: 3 }),
  isLater: fc.boolean(),
});
type Action = typeof action extends fc.Arbitrary<infer Value> ? Value : never;

/** A client as `Document` makes one of its parts. */
class User {
  readonly draft = new Draft(start, 0);
  readonly history = new History();
  readonly sent: Step[] = [];
  readonly #name: string;
  #ids = 0;
  #nowMs = 0;

  constructor(name: string) {
    this.#name = name;
  }

  edit(changes: Changes, isLater: boolean): void {
    const { text } = this.draft;
    this.#nowMs += isLater ? 1_000 : 100;
    this.draft.edit(changes);
    this.history.edited(normalise(changes), text, this.#nowMs);
    this.#queue();
  }

  again(what: 'undo' | 'redo'): boolean {
    const changes = this.history[what](this.draft.text);
    if (!changes) return false;
    this.draft.edit(changes);
    this.#queue();
    return true;
  }

  hear({ operationId, changes }: Committed): void {
    this.history.carry(this.draft.committedNext(operationId, changes));
    this.#queue();
  }

  #queue(): void {
    this.#ids += 1;
    const step = this.draft.next(`${this.#name} ${this.#ids}`);
    if (step) this.sent.push(step);
  }
}

const edited = ({ place, length, text }: Action, document: string, letters: string): Changes => {
  const position = place % (document.length + 1);
  const units = Math.min(length, document.length - position);
  return [{ position, length: units, text: text.map((index) => letters.charAt(index)).join('') }];
};

test('[CLIENT72] without others undo of everything gives the first text, and redo the last', () => {
  const play = (actions: readonly Action[]): void => {
    const user = new User('alice');
    for (const one of actions) {
      if (one.what === 'undo' || one.what === 'redo') user.again(one.what);
      else user.edit(edited(one, user.draft.text, alphabets[0]), one.isLater);
    }
    while (user.again('redo'));
    const last = user.draft.text;
    while (user.again('undo'));
    expect(user.draft.text).toBe(start);
    while (user.again('redo'));
    expect(user.draft.text).toBe(last);
  };
  fc.assert(fc.property(fc.array(action, { maxLength: 40 }), play), { numRuns: 500 });
});

test('[CLIENT72] with others all texts end alike, and nothing that others wrote is taken away', () => {
  const play = (actions: readonly Action[]): void => {
    const server = new ModelDocument(start);
    const users = alphabets.map((letters) => new User(letters));
    const written = alphabets.map(() => '');
    const move = (user: User, what: 'send' | 'hear'): boolean => {
      const next = what === 'send' ? user.sent.shift() : server.committed[user.draft.revision];
      if (!next) return false;
      if ('change' in next) server.take(next);
      else user.hear(next);
      return true;
    };
    const settle = (): void => {
      while (users.flatMap((user) => [move(user, 'send'), move(user, 'hear')]).some(Boolean));
    };
    for (const one of actions) {
      const user = users[one.user] as User;
      const letters = alphabets[one.user] ?? '';
      if (one.what === 'send' || one.what === 'hear') move(user, one.what);
      else if (one.what === 'undo' || one.what === 'redo') {
        if (one.user === 0) user.again(one.what);
      } else {
        const [change] = edited(one, user.draft.text, letters);
        if (!change) continue;
        // Nothing is removed but by the undo of the first user, so that what is missing was taken away by it.
        user.edit([{ ...change, length: 0 }], one.isLater);
        written[one.user] += change.text;
      }
    }
    settle();
    while (users[0]?.again('undo')) settle();
    for (const { draft } of users) expect([draft.text, draft.isSettled]).toEqual([server.text, true]);
    const lettersOf = (text: string): string => text.split('').toSorted().join('');
    const [, bobs = '', cids = ''] = written;
    // The first user's part is gone altogether, that of the others is all there.
    expect(lettersOf(server.text)).toBe(lettersOf(start + bobs + cids));
  };
  fc.assert(fc.property(fc.array(action, { maxLength: 80 }), play), { numRuns: 400 });
});

test('[CLIENT72] whatever all remove, take back and do again, all texts end alike', () => {
  const play = (actions: readonly Action[]): void => {
    const server = new ModelDocument(start);
    const users = alphabets.map((letters) => new User(letters));
    const move = (user: User, what: string): boolean => {
      const next = what === 'send' ? user.sent.shift() : server.committed[user.draft.revision];
      if (!next) return false;
      if ('change' in next) server.take(next);
      else user.hear(next);
      return true;
    };
    for (const one of actions) {
      const user = users[one.user] as User;
      if (one.what === 'send' || one.what === 'hear') move(user, one.what);
      else if (one.what === 'undo' || one.what === 'redo') user.again(one.what);
      else user.edit(edited(one, user.draft.text, alphabets[one.user] ?? ''), one.isLater);
    }
    while (users.flatMap((user) => [move(user, 'send'), move(user, 'hear')]).some(Boolean));
    for (const { draft } of users) expect([draft.text, draft.isSettled]).toEqual([server.text, true]);
  };
  fc.assert(fc.property(fc.array(action, { maxLength: 80 }), play), { numRuns: 400 });
});

test('[CLIENT72] typing that goes on within a second is one step, also while others write; anything else is another', () => {
  const user = new User('alice');
  for (const [index, letter] of ['a', 'b', 'c'].entries()) {
    user.edit([{ position: index, length: 0, text: letter }], false);
    user.history.carry([]);
  }
  user.edit([{ position: 3, length: 0, text: 'd' }], true);
  user.edit([{ position: 3, length: 1, text: '' }], false);
  user.edit([{ position: 2, length: 1, text: '' }], false);
  user.edit([{ position: 0, length: 2, text: 'x' }], false);
  user.edit([{ position: 1, length: 0, text: 'y' }], false);
  const texts: string[] = [];
  while (user.again('undo')) texts.push(user.draft.text.slice(0, -start.length));
  expect(texts).toEqual(['ab', 'abcd', 'abc', '']);
});

test('[CLIENT72] a step that others have made void is passed over, and what is kept is bounded', () => {
  const history = new History();
  history.edited([{ position: 0, length: 0, text: 'a' }], '', 0);
  history.edited([{ position: 1, length: 0, text: 'b' }], 'a', 2_000);
  history.carry([{ position: 1, length: 1, text: '' }]);
  expect(history.undo('a')).toEqual([{ position: 0, length: 1, text: '' }]);
  expect(history.undo('')).toBeNull();
  let text = '';
  for (let count = 0; count < 1_200; count += 1) {
    history.edited([{ position: 0, length: 0, text: 'x' }], text, count * 2_000);
    text = `x${text}`;
  }
  let steps = 0;
  for (let changes = history.undo(text); changes; changes = history.undo(text)) {
    text = applyTo(text, changes);
    steps += 1;
  }
  expect(steps).toBe(1_000);
});
