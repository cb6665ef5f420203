// What nodes share, for a shard in another thread: the same contract over a link.
import { Link, type LinkEnd } from '../link/link.ts';
import type { Shared, SharedChange, SharedPosition } from './shared.ts';

type Asked =
  | readonly [kind: 'tell', change: SharedChange]
  | readonly [kind: 'snapshot', request: number, actor: string]
  | readonly [kind: 'position', request: number, userId: string, name: string, destination: string]
  | readonly [kind: 'close', request: number];
type Answer = Uint8Array | SharedPosition | null;
type Answered = readonly [request: number, answer: Answer];

/** Serves one shard; when that is gone, so is what it has said. */
export function serveShared(shared: Shared, end: LinkEnd): void {
  const link: Link<Answered, Asked> = new Link<Answered, Asked>(
    end,
    (asked) => {
      const answer = (request: number, asking: Promise<Answer>): void =>
        void asking.then((found) =>
          link.send([request, found], found instanceof Uint8Array ? found.length : 0),
        );
      if (asked[0] === 'tell') shared.tell(asked[1]);
      else if (asked[0] === 'snapshot') answer(asked[1], shared.snapshot(asked[2]));
      else if (asked[0] === 'position') answer(asked[1], shared.position(asked[2], asked[3], asked[4]));
      else
        answer(
          asked[1],
          shared.close().then(() => null),
        );
    },
    () => void shared.close(),
  );
}

/** Its other end. When the thread there is lost, nothing is shared any more. */
export class RemoteShared implements Shared {
  readonly #link: Link<Asked, Answered>;
  readonly #pending = new Map<number, (answer: Answer) => void>();
  #requests = 0;
  #lost = false;

  constructor(end: LinkEnd) {
    this.#link = new Link<Asked, Answered>(
      end,
      ([request, answer]) => {
        this.#pending.get(request)?.(answer);
        this.#pending.delete(request);
      },
      () => {
        this.#lost = true;
        for (const resolve of this.#pending.values()) resolve(null);
        this.#pending.clear();
      },
    );
  }

  tell(change: SharedChange): void {
    // Of sessions and trackings there are only as many as there are; the rest is dropped before it waits without a bound.
    const isKept = change[0] === 'session' || change[0] === 'tracking';
    if (this.#lost || (this.#link.full && !isKept)) return;
    this.#link.send(['tell', change], change[0] === 'snapshot' ? change[2].length : 0);
  }

  snapshot(actor: string): Promise<Uint8Array | null> {
    return this.#ask((request) => ['snapshot', request, actor]) as Promise<Uint8Array | null>;
  }

  position(userId: string, name: string, destination: string): Promise<SharedPosition | null> {
    const ask = (request: number): Asked => ['position', request, userId, name, destination];
    return this.#ask(ask) as Promise<SharedPosition | null>;
  }

  /** Resolves when the other end has heard all that was told. */
  async close(): Promise<void> {
    await this.#ask((request) => ['close', request]);
    this.#link.close();
  }

  #ask(message: (request: number) => Asked): Promise<Answer> {
    if (this.#lost) return Promise.resolve(null);
    this.#requests += 1;
    const request = this.#requests;
    return new Promise((resolve) => {
      this.#pending.set(request, resolve);
      this.#link.send(message(request), 0);
    });
  }
}
