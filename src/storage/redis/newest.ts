// What is written behind: of each name the newest value waits, and of all names only so many. Over the bound the one that
// has waited longest is dropped. Pure.

export interface NewestLimits {
  readonly countMax: number;
  readonly bytesMax: number;
}

export class Newest<Value> {
  readonly #limits: NewestLimits;
  readonly #onDropped: () => void;
  readonly #values = new Map<string, { readonly value: Value; readonly bytes: number }>();
  #bytes = 0;

  /** @param onDropped called for each value that will not be written. */
  constructor(limits: NewestLimits, onDropped: () => void) {
    this.#limits = limits;
    this.#onDropped = onDropped;
  }

  /** @param bytes what the value counts against the bound. */
  put(name: string, value: Value, bytes: number): void {
    this.#remove(name);
    this.#values.set(name, { value, bytes });
    this.#bytes += bytes;
    const { countMax, bytesMax } = this.#limits;
    while (this.#values.size > countMax || this.#bytes > bytesMax) {
      const [oldest] = this.#values.keys();
      if (oldest === undefined) return;
      this.#remove(oldest);
      this.#onDropped();
    }
  }

  /** The value that waits, if any. */
  get(name: string): Value | undefined {
    return this.#values.get(name)?.value;
  }

  /** Takes out what has waited longest, at most `count` of it. */
  take(count: number): (readonly [name: string, value: Value])[] {
    const taken: [string, Value][] = [];
    for (const [name, { value }] of this.#values) {
      if (taken.length === count) break;
      taken.push([name, value]);
    }
    for (const [name] of taken) this.#remove(name);
    return taken;
  }

  #remove(name: string): void {
    this.#bytes -= this.#values.get(name)?.bytes ?? 0;
    this.#values.delete(name);
  }
}
