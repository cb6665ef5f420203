// What actors ask of Redis while they load: they get an answer soon or none, whatever Redis does.
import type { Clock } from '../../lib/clock.ts';

/** More actors that load at once do without. */
const readsMax = 256;

export class Reads {
  readonly #clock: Clock;
  readonly #withinMs: number;
  /** Whether an answer was late, and none came since: it would be a pity for everybody to wait in vain. */
  #isLate = false;
  #pending = 0;

  constructor(clock: Clock, withinMs: number) {
    this.#clock = clock;
    this.#withinMs = withinMs;
  }

  /** Redis has answered somebody in time. */
  punctual(): void {
    this.#isLate = false;
  }

  /** The answer, or null when it fails or does not come in time. Never rejects. */
  async ask<Value>(ask: () => Promise<Value | null>): Promise<Value | null> {
    if (this.#isLate || this.#pending >= readsMax) return null;
    this.#pending += 1;
    const answer = this.#settled(ask());
    return new Promise((resolve) => {
      const late = this.#clock.after(this.#withinMs, () => {
        this.#isLate = true;
        resolve(null);
      });
      void answer.then((value) => {
        late.cancel();
        resolve(value);
      });
    });
  }

  async #settled<Value>(answer: Promise<Value>): Promise<Value | null> {
    try {
      const value = await answer;
      this.#isLate = false;
      return value;
    } catch {
      return null;
    } finally {
      this.#pending -= 1;
    }
  }
}
