// The consumers of one actor and what each of them holds. Belongs to the runtime, not to the actor's state: it outlives
// a reload, and holds no more than was committed.
import type { Consumer } from './actor.ts';
import type { Held } from '../link/messages.ts';

export interface ListedConsumer extends Consumer {
  readonly edge: number;
  /** Its subscription on that edge. */
  readonly number: number;
  readonly held: Map<string, Held>;
  /** Whether it has left, and the actor has not had the turn that says so. */
  isGone: boolean;
}

export function consumerKey(edge: number, number: number): string {
  return `${edge}-${number}`;
}

export class ConsumerList {
  readonly #all = new Map<string, ListedConsumer>();
  /** Whether a look at what the state wants lies in the mailbox. */
  isWanting = false;

  get empty(): boolean {
    return this.#all.size === 0;
  }

  get(key: string): ListedConsumer | undefined {
    return this.#all.get(key);
  }

  add(edge: number, number: number, window: number, held: readonly Held[] = []): ListedConsumer {
    const key = consumerKey(edge, number);
    const consumer: ListedConsumer = {
      key,
      edge,
      number,
      window,
      held: new Map(held.map((one) => [one[0], one])),
      isGone: false,
    };
    this.#all.set(key, consumer);
    return consumer;
  }

  remove(key: string): void {
    this.#all.delete(key);
  }

  /** Those that have not left. */
  present(): ListedConsumer[] {
    return [...this.#all.values()].filter(({ isGone }) => !isGone);
  }

  of(edge: number): ListedConsumer[] {
    return this.present().filter((consumer) => consumer.edge === edge);
  }
}
