// A user who follows and asks for things while the server is ended again and again, and remembers what was promised.
import { Follower, type Followed } from './follower.ts';
import type { RestAnswer, TestServer } from './server.ts';
import { connectStomp, RefusedError, type TestClient } from './stomp.ts';

/** A participant while it is connected. */
export interface Self {
  readonly server: TestServer;
  readonly client: TestClient;
  readonly followers: readonly Follower[];
  readonly faults: string[];
}

/** What a participant does; `What` is one thing to ask for. */
export interface Role<What> {
  readonly user: string;
  readonly roles?: readonly string[];
  readonly follows?: readonly Followed[];
  /** User queues and the like that tell only who is there. */
  readonly hears?: readonly string[];
  /** How many things are asked for at once. */
  readonly lanes: number;
  /** The next thing to ask for, counted from 1. */
  readonly next: (self: Self, number: number, lane: number) => What | Promise<What>;
  /** Asks for it under that key; the answer is the same however often it is asked. */
  readonly ask: (self: Self, key: string, what: What) => Promise<unknown>;
  /** What is asked for under the same key when there was no answer; the same thing unless given. */
  readonly again?: (self: Self, what: What) => What;
  /** Called when all that was missed has come, before anybody asks for anything. */
  readonly isBack?: (self: Self) => Promise<void>;
}

export interface Shift {
  /** Called for each thing that is asked for. */
  readonly onSend: () => void;
  /** Looked at before each; the connection's end ends a shift too. */
  readonly isOver: () => boolean;
  /** Whether something may be UNAVAILABLE: then it is asked for again until it is not. */
  readonly mayBeUnavailable: boolean;
}

export interface Answered<What> {
  readonly what: What;
  readonly answer: unknown;
}

/** As a client waits that is told to try again later. */
const tryAgainMs = 25;
/** Above every bound of the server's, so that whoever waits for longer has found a fault. */
const patienceMs = 25_000;

/** A request was answered 503: it may not have been done. */
class UnavailableError extends Error {}

/** The JSON body. @throws RefusedError for any other status than the one expected, UnavailableError for 503. */
export function bodyOf({ status, body }: RestAnswer, expected: number): unknown {
  if (status === expected) return body;
  if (status === 503) throw new UnavailableError(`unavailable: ${JSON.stringify(body)}`);
  throw new RefusedError(body as Record<string, unknown>);
}

function isUnavailable(thrown: unknown): boolean {
  if (thrown instanceof RefusedError) return thrown.refusal['code'] === 'UNAVAILABLE';
  return thrown instanceof UnavailableError;
}

/** Whether this is how asking ends when the server does. */
function isServersEnd(thrown: unknown): boolean {
  if (thrown instanceof UnavailableError) return true;
  return /: the connection closed with|^fetch failed$|^terminated$/.test((thrown as Error).message);
}

/** A participant, whatever it asks for. */
export interface AnyParticipant extends Pick<
  Participant<unknown>,
  'user' | 'followers' | 'faults' | 'unavailable' | 'onFrame' | 'comeBack' | 'repeat' | 'work' | 'leave'
> {
  readonly pending: ReadonlyMap<string, unknown>;
}

export class Participant<What> {
  readonly followers: readonly Follower[];
  /** Per connection what each of `hears` told, in order. */
  readonly heard: Map<string, readonly string[]>[] = [];
  /** What was answered, by key. */
  readonly answered = new Map<string, Answered<What>>();
  /** What was asked for and not answered yet. */
  readonly pending = new Map<string, What>();
  /** What went wrong; empty while all promises are kept. */
  readonly faults: string[] = [];
  /** Things that were UNAVAILABLE, each time. */
  unavailable = 0;
  /** Called for every frame that comes once the participant is back. */
  onFrame: () => void = () => undefined;
  readonly #role: Role<What>;
  #asked = 0;
  #server: TestServer | null = null;
  #client: TestClient | null = null;

  constructor(role: Role<What>) {
    this.#role = role;
    this.followers = (role.follows ?? []).map((one) => new Follower(one, role.user, this.faults));
  }

  get user(): string {
    return this.#role.user;
  }

  get server(): TestServer {
    if (!this.#server) throw new Error('not there yet');
    return this.#server;
  }

  get client(): TestClient {
    if (!this.#client) throw new Error('not there yet');
    return this.#client;
  }

  /** Resolves when the client is back and has got what it missed. */
  async comeBack(server: TestServer): Promise<void> {
    const { user, roles = [], hears = [] } = this.#role;
    this.#server = server;
    this.heard.push(new Map());
    this.#client = await connectStomp(server, { user, roles, patienceMs });
    for (const destination of hears) await this.client.subscribe(destination);
    for (const follower of this.followers) await follower.comeBack(this.client);
    await this.#role.isBack?.(this);
    this.client.socket.on('message', () => this.onFrame());
  }

  /** Asks again for what was not answered, and for the newest that was. */
  async repeat(): Promise<void> {
    const { ask, again, lanes } = this.#role;
    const newest = lanes === 0 ? [] : [...this.answered].slice(-lanes);
    const pending = [...this.pending].map(async ([key, what]) =>
      this.#answered(key, what, await ask(this, key, again?.(this, what) ?? what)),
    );
    const repeated = newest.map(async ([key, { what, answer }]) => {
      const texts = [answer, await ask(this, key, what)].map((one) => JSON.stringify(one));
      if (texts[0] !== texts[1])
        this.faults.push(`${this.#role.user}: ${key} got ${texts.join(' and then ')}`);
    });
    await Promise.all([...pending, ...repeated]);
  }

  /** Asks for one thing after the other until the shift is over. */
  async work(shift: Shift): Promise<void> {
    const lane = async (_none: unknown, number: number): Promise<void> => {
      while (!shift.isOver()) {
        this.#asked += 1;
        const key = `${this.#role.user} ${this.#asked}`;
        const what = await this.#role.next(this, this.#asked, number);
        this.pending.set(key, what);
        await this.#untilTaken(key, what, shift);
      }
    };
    const ends = await Promise.allSettled(Array.from({ length: this.#role.lanes }, lane));
    const reasons = ends.flatMap((end): unknown[] => (end.status === 'rejected' ? [end.reason] : []));
    for (const reason of reasons) {
      if (!isServersEnd(reason)) this.faults.push(`${this.#role.user}: ${String(reason)}`);
    }
    if (this.faults.length === 0 && !shift.isOver()) await this.client.closed;
    this.#look();
  }

  /** Leaves in good order. */
  async leave(): Promise<void> {
    await this.client.disconnect();
    this.#look();
  }

  async #untilTaken(key: string, what: What, { onSend, mayBeUnavailable }: Shift): Promise<void> {
    for (;;) {
      const answer = this.#role.ask(this, key, what);
      onSend();
      try {
        return this.#answered(key, what, await answer);
      } catch (thrown) {
        if (!mayBeUnavailable || !isUnavailable(thrown)) throw thrown;
        this.unavailable += 1;
        await new Promise((resolve) => setTimeout(resolve, tryAgainMs));
      }
    }
  }

  #answered(key: string, what: What, answer: unknown): void {
    this.pending.delete(key);
    this.answered.set(key, { what, answer });
  }

  #look(): void {
    for (const follower of this.followers) follower.look();
    const told = (destination: string): string[] => this.client.received(destination).map(({ body }) => body);
    const hears = this.#role.hears ?? [];
    this.heard[this.heard.length - 1] = new Map(hears.map((destination) => [destination, told(destination)]));
  }
}
