// Waiting for something to become true, woken by events instead of by the clock.
import { systemClock } from '../../src/lib/clock.ts';

export const deadlineMs = 30_000;

/** Conditions over a state that somebody else changes, and says so with `changed`. */
export class Watch {
  readonly #checks = new Set<() => void>();
  readonly #describe: () => string;
  #endedBy: string | null = null;

  /** @param describe the state as it is, for the message of a wait that failed. */
  constructor(describe: () => string) {
    this.#describe = describe;
  }

  changed(): void {
    for (const check of this.#checks) check();
  }

  /** Nothing will change any more: waits that are not fulfilled fail. */
  end(reason: string): void {
    this.#endedBy = reason;
    this.changed();
  }

  /** @throws Error when the condition does not hold within `withinMs`, or can't any more. */
  until(holds: () => boolean, what: string, withinMs = deadlineMs): Promise<void> {
    return new Promise((resolve, reject) => {
      const settle = (then: () => void): void => {
        this.#checks.delete(check);
        deadline.cancel();
        then();
      };
      const fail = (why: string): void =>
        settle(() => reject(new Error(`${what}: ${why}\n${this.#describe()}`)));
      const check = (): void => {
        if (holds()) settle(resolve);
        else if (this.#endedBy !== null) fail(this.#endedBy);
      };
      const deadline = systemClock.after(withinMs, () => fail(`not within ${withinMs} ms`));
      this.#checks.add(check);
      check();
    });
  }
}
