// Those who want to be told.

export type Stop = () => void;

/** An error of a listener is not ours to end by: it goes to the console of the page, as from an event. */
export function tellSafely(tell: () => void): void {
  try {
    tell();
  } catch (thrown) {
    queueMicrotask(() => {
      throw thrown;
    });
  }
}

export class Listeners<Value> {
  readonly #all = new Set<(value: Value) => void>();

  /** @returns what ends it. */
  add(listener: (value: Value) => void): Stop {
    const one = (value: Value): void => listener(value);
    this.#all.add(one);
    return () => void this.#all.delete(one);
  }

  /** One that throws does not keep it from the others. */
  tell(value: Value): void {
    for (const listener of this.#all) tellSafely(() => listener(value));
  }
}
