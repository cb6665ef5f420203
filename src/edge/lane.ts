// Lets so many of a kind happen at a time, in the order they came.

export class Lane {
  readonly #most: number;
  readonly #waiting: (() => void)[] = [];
  #open = 0;

  constructor(most: number) {
    this.#most = most;
  }

  /** Starts the task now or when there is room. Each that was started must be `done` once. */
  enter(task: () => void): void {
    if (this.#open >= this.#most) {
      this.#waiting.push(task);
      return;
    }
    this.#open += 1;
    task();
  }

  done(): void {
    this.#open -= 1;
    const next = this.#waiting.shift();
    if (next) this.enter(next);
  }
}
