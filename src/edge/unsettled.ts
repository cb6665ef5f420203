// What one consumer was delivered and has neither acknowledged nor given back, by the number of the delivery.
import type { Held } from '../link/messages.ts';

export type Settled = readonly (readonly [delivery: number, held: Held])[];

export class Unsettled {
  readonly #held = new Map<number, Held>();
  readonly #isCumulative: boolean;
  /** The last deliveries acknowledged in a row: one of these may be acknowledged again, to no effect. */
  #acknowledgedFrom = 1;
  #acknowledgedUpto = 0;

  /** @param isCumulative whether an acknowledgement counts for all before it too. */
  constructor(isCumulative: boolean) {
    this.#isCumulative = isCumulative;
  }

  add(delivery: number, held: Held): void {
    this.#held.set(delivery, held);
  }

  held(): Iterable<Held> {
    return this.#held.values();
  }

  /** @returns what an ACK or NACK of that delivery is about, which is no longer held; null when there is no such thing. */
  settle(delivery: number, isAcknowledged: boolean): Settled | null {
    const held = this.#held.get(delivery);
    if (!this.#isCumulative) {
      if (!held) return null;
      this.#held.delete(delivery);
      return [[delivery, held]];
    }
    if (!held) return isAcknowledged && this.#isAcknowledged(delivery) ? [] : null;
    const settled = [...this.#held].filter(([number]) => number <= delivery);
    for (const [number] of settled) this.#held.delete(number);
    if (isAcknowledged) this.#acknowledged(Math.min(...settled.map(([number]) => number)), delivery);
    return settled;
  }

  /** It could not be settled: it is held as before. */
  restore(settled: Settled): void {
    for (const [delivery, held] of settled) this.#held.set(delivery, held);
  }

  #isAcknowledged(delivery: number): boolean {
    return delivery >= this.#acknowledgedFrom && delivery <= this.#acknowledgedUpto;
  }

  #acknowledged(from: number, upto: number): void {
    if (from > this.#acknowledgedUpto + 1) this.#acknowledgedFrom = from;
    this.#acknowledgedUpto = Math.max(upto, this.#acknowledgedUpto);
  }
}
