// Which web pages the server lets in, and whom it tells of those that it does not: browsers hide the reason from pages.
import { originAllowed } from './origin.ts';

/** Refused origins that are told of, each once: more are most likely made up. */
const toldMax = 100;
const charactersMax = 200;

export class Origins {
  /** Browser origins that are welcome besides the server's own. */
  readonly listed: readonly string[];
  readonly #told = new Set<string>();
  readonly #onRefused: (origin: string) => void;

  constructor(listed: readonly string[], onRefused: (origin: string) => void) {
    this.listed = listed;
    this.#onRefused = onRefused;
  }

  /** @param origin of the request, undefined where it names none. */
  allows(origin: string | undefined, host: string): boolean {
    if (originAllowed(origin, host, this.listed)) return true;
    const named = (origin ?? '').slice(0, charactersMax);
    if (this.#told.size < toldMax && !this.#told.has(named)) {
      this.#told.add(named);
      this.#onRefused(named);
    }
    return false;
  }
}
