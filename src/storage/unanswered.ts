// Since when a store owes answers.

/** Whoever waits for longer takes the database for unavailable, though it may answer yet. Below any client's patience. */
export const unansweredMaxMs = 3_000;

/** Times are counted in steps, so that there are few of them however much is asked. */
const stepMs = 100;

export class Unanswered {
  readonly #monotonicMs: () => number;
  readonly #onOldest: (sinceMs: number) => void;
  /** How much was asked at a time, in its order. As many entries as steps in the longest wait. */
  readonly #counts = new Map<number, number>();
  #oldestMs = 0;

  /** @param onOldest called with the time of the oldest that has no answer whenever that changes; 0 for none. */
  constructor(monotonicMs: () => number, onOldest: (sinceMs: number) => void) {
    this.#monotonicMs = monotonicMs;
    this.#onOldest = onOldest;
  }

  /** When the oldest that has no answer was asked; 0 for none. */
  get oldestMs(): number {
    return this.#oldestMs;
  }

  /** Something is asked; returns what `answered` takes when it has its answer. */
  asked(): number {
    // Never earlier than it was.
    const atMs = Math.ceil(this.#monotonicMs() / stepMs) * stepMs;
    this.#counts.set(atMs, (this.#counts.get(atMs) ?? 0) + 1);
    this.#look();
    return atMs;
  }

  answered(atMs: number): void {
    const left = (this.#counts.get(atMs) ?? 0) - 1;
    if (left > 0) this.#counts.set(atMs, left);
    else this.#counts.delete(atMs);
    this.#look();
  }

  /** Whether that is too long ago. */
  isLate(atMs: number): boolean {
    return this.#monotonicMs() - atMs >= unansweredMaxMs;
  }

  #look(): void {
    const [oldestMs = 0] = this.#counts.keys();
    if (oldestMs === this.#oldestMs) return;
    this.#oldestMs = oldestMs;
    this.#onOldest(oldestMs);
  }
}
