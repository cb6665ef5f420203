// The promise that the server has all edits of a document: one for all who ask.
import type { StagewireError } from './error.ts';

interface Asked {
  readonly promise: Promise<void>;
  readonly resolve: () => void;
  readonly reject: (error: StagewireError) => void;
}

export class Settlement {
  #asked: Asked | null = null;

  /** Whether somebody waits. */
  get isAsked(): boolean {
    return this.#asked !== null;
  }

  ask(): Promise<void> {
    this.#asked ??= asked();
    return this.#asked.promise;
  }

  resolve(): void {
    this.#asked?.resolve();
    this.#asked = null;
  }

  reject(error: StagewireError): void {
    this.#asked?.reject(error);
    this.#asked = null;
  }
}

function asked(): Asked {
  let resolve!: Asked['resolve'];
  let reject!: Asked['reject'];
  const promise = new Promise<void>((...both) => ([resolve, reject] = both));
  return { promise, resolve, reject };
}
