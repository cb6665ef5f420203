// The headers of a frame that has fixed places for the common ones: no map is made for a handful of strings.
import type { FrameHeaders } from '../frame.ts';

export class FieldHeaders implements FrameHeaders {
  readonly #names: readonly string[];
  readonly #values: readonly (string | undefined)[];
  readonly #others: ReadonlyMap<string, string> | null;

  /**
   * @param names by place, the same list for all frames of a command; '' where the place is no header's.
   * @param others with none of these names.
   */
  constructor(
    names: readonly string[],
    values: readonly (string | undefined)[],
    others: ReadonlyMap<string, string> | null,
  ) {
    this.#names = names;
    this.#values = values;
    this.#others = others;
  }

  get(name: string): string | undefined {
    const place = this.#names.indexOf(name);
    return place === -1 ? this.#others?.get(name) : this.#values[place];
  }

  has(name: string): boolean {
    return this.get(name) !== undefined;
  }

  *[Symbol.iterator](): Iterator<readonly [string, string]> {
    for (const [place, name] of this.#names.entries()) {
      const value = this.#values[place];
      if (value !== undefined) yield [name, value];
    }
    if (this.#others) yield* this.#others;
  }
}
