// What a client sends before its CONNECT is answered: held back, within a bound, until its token is checked.

const piecesMax = 64;

export class Early {
  readonly #bytesMax: number;
  #tasks: (() => void)[] = [];
  #bytes = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  /** @returns false when it is too much. */
  keep(bytes: number, task: () => void): boolean {
    this.#bytes += bytes;
    this.#tasks.push(task);
    return this.#bytes <= this.#bytesMax && this.#tasks.length <= piecesMax;
  }

  /** Does what was held back, in its order. */
  release(): void {
    for (const task of this.#tasks.splice(0)) task();
  }
}
