// Those who want to be told.

export type Stop = () => void;

export class Listeners<Value> {
  readonly #all = new Set<(value: Value) => void>();

  /** @returns what ends it. */
  add(listener: (value: Value) => void): Stop {
    const one = (value: Value): void => listener(value);
    this.#all.add(one);
    return () => void this.#all.delete(one);
  }

  /** One that throws does not keep it from the others; its error goes to the console of the page, as from an event. */
  tell(value: Value): void {
    for (const listener of this.#all) {
      try {
        listener(value);
      } catch (thrown) {
        queueMicrotask(() => {
          throw thrown;
        });
      }
    }
  }
}
