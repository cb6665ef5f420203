// Three clients that show their own edits at once, and one order that a server gives: all end with the same text.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { applyTo, invert, type Changes } from '../../src/text/changes.ts';
import { rebase, transformOver } from '../../src/text/history.ts';
import { Alphabet, fitOne, insertedBy, removedBy, runs, sorted, wish, type Wish } from './edits.ts';

interface Step {
  readonly client: number;
  readonly changes: Changes;
}

/** Takes operations one after the other, each made on whatever revision its client had. */
class Server {
  readonly history: Step[] = [];
  readonly removed: string[] = [];
  text: string;

  constructor(text: string) {
    this.text = text;
  }

  commit(client: number, made: Changes, revision: number): void {
    const since = this.history.slice(revision).map(({ changes }) => changes);
    const changes = transformOver(made, since);
    this.removed.push(removedBy(changes, this.text));
    this.text = applyTo(this.text, changes);
    this.history.push({ client, changes });
  }
}

class Client {
  readonly #number: number;
  readonly #server: Server;
  #pending: readonly Changes[] = [];
  /** The first of them as it was sent, on which revision; null while none is under way. */
  #sent: { readonly changes: Changes; readonly revision: number } | null = null;
  #revision = 0;
  text: string;

  constructor(number: number, server: Server) {
    this.#number = number;
    this.#server = server;
    this.text = server.text;
  }

  edit(changes: Changes): void {
    this.text = applyTo(this.text, changes);
    this.#pending = [...this.#pending, changes];
  }

  send(): void {
    const [changes] = this.#pending;
    if (changes && !this.#sent) this.#sent = { changes, revision: this.#revision };
  }

  /** What was sent comes to the server. */
  arrive(): void {
    const sent = this.#sent;
    // Once committed it is answered by its own step in the history.
    const isCommitted = this.#server.history
      .slice(sent?.revision)
      .some(({ client }) => client === this.#number);
    if (sent && !isCommitted) this.#server.commit(this.#number, sent.changes, sent.revision);
  }

  receive(): boolean {
    const step = this.#server.history[this.#revision];
    if (!step) return false;
    this.#revision += 1;
    if (step.client === this.#number) {
      // The server made of it what the client did.
      expect(step.changes).toEqual(this.#pending[0]);
      this.#pending = this.#pending.slice(1);
      this.#sent = null;
      return true;
    }
    const { pending, incoming } = rebase(this.#pending, step.changes);
    this.#pending = pending;
    this.text = applyTo(this.text, incoming);
    return true;
  }

  get isDone(): boolean {
    return this.#pending.length === 0 && this.#revision === this.#server.history.length;
  }
}

interface Action {
  readonly who: number;
  readonly does: 'edit' | 'send' | 'arrive' | 'receive';
  readonly wish: Wish;
}

const action: fc.Arbitrary<Action> = fc.record({
  who: fc.nat({ max: 2 }),
  does: fc.constantFrom('edit' as const, 'send' as const, 'arrive' as const, 'receive' as const),
  wish,
});

test('[TEXT12] [TEXT13] three clients and the server end with one text, in which only what was removed lacks', () => {
  const actions = fc.array(action, { minLength: 5, maxLength: 60, size: 'max' });
  fc.assert(
    fc.property(fc.nat({ max: 8 }), actions, (length, all) => {
      const alphabet = new Alphabet();
      const start = alphabet.take(length);
      const server = new Server(start);
      const clients = [0, 1, 2].map((number) => new Client(number, server));
      const inserted: string[] = [start];
      const removed: string[] = [];
      for (const { who, does, wish: wanted } of all) {
        const client = clients[who];
        if (!client) continue;
        if (does !== 'edit') {
          client[does]();
          continue;
        }
        const changes = fitOne(wanted, client.text.length, alphabet);
        inserted.push(insertedBy(changes));
        removed.push(removedBy(changes, client.text));
        client.edit(changes);
      }
      while (clients.some(({ isDone }) => !isDone)) {
        for (const client of clients) {
          client.send();
          client.arrive();
        }
        for (const client of clients) while (client.receive());
      }

      expect(clients.map(({ text }) => text)).toEqual([server.text, server.text, server.text]);
      const gone = new Set(removed.join(''));
      expect(sorted(server.text)).toBe(
        sorted(Array.from(inserted.join('')).filter((unit) => !gone.has(unit))),
      );
      // However many wanted a unit gone, the history removes it once.
      expect(sorted(server.removed.join(''))).toBe(sorted(gone));
    }),
    runs,
  );
});

test('[TEXT10] [TEXT12] a history taken back from its end gives the text it began with', () => {
  fc.assert(
    fc.property(fc.nat({ max: 8 }), fc.array(wish, { maxLength: 20 }), (length, wishes) => {
      const alphabet = new Alphabet();
      const start = alphabet.take(length);
      const server = new Server(start);
      const inverses: Changes[] = [];
      for (const one of wishes) {
        const before = server.text;
        server.commit(0, fitOne(one, before.length, alphabet), server.history.length);
        inverses.push(invert(server.history.at(-1)?.changes ?? [], before));
      }
      expect(inverses.reduceRight(applyTo, server.text)).toBe(start);
    }),
    { ...runs, numRuns: Math.min(runs.numRuns, 200) },
  );
});
