// How often the edits of a document are sent: each operation counts in the user's rate. Pure: knows no clock.

/** At the server's default rate, 30 messages in ten seconds, it leaves room for cursors and for what else a page sends. */
const everyMs = 500;
/** Operations of one edit that go together: a replacement is two, and nobody should see half of it for long. */
const togetherMax = 8;

export class Pace {
  /** How many more go together with the one before. */
  #together = 0;
  #freeAtMs = 0;

  /**
   * Asks whether an operation may go.
   *
   * @param count of the operations that wait.
   * @returns how long it has to wait; 0 when it goes now.
   */
  take(count: number, nowMs: number): number {
    if (this.#together === 0) {
      if (nowMs < this.#freeAtMs) return this.#freeAtMs - nowMs;
      this.#together = Math.min(count, togetherMax);
      this.#freeAtMs = nowMs;
    }
    this.#together -= 1;
    this.#freeAtMs += everyMs;
    return 0;
  }

  /** Nothing waits any more. */
  rest(): void {
    this.#together = 0;
  }
}
