// One subscription over all connections: knows its place in the stream, goes on after it, and takes nothing twice.
import type { StagewireError } from './error.ts';
import { tellSafely } from './listeners.ts';

/** A message as a subscription hands it on. */
export interface Message {
  readonly body: string;
  readonly binaryBody: Uint8Array;
  readonly headers: Readonly<Record<string, string>>;
  /** Acknowledges it, where the subscription says so (`ack`). */
  readonly ack: () => void;
  readonly nack: () => void;
}

export interface SubscriptionEvents {
  readonly message: (message: Message) => void;
  /**
   * How things are: at the start, and where what was missed can't be had any more (`isStart` is false then). What
   * follows comes after it.
   */
  readonly present?: (message: Message, isStart: boolean) => void;
  /** It is asked for, at the start and again after every loss. */
  readonly started?: () => void;
  /** What was missed has come, and what follows comes as it happens; until the connection is lost. */
  readonly live?: () => void;
  /** It can't go on: the server's refusal. */
  readonly refused?: (error: StagewireError) => void;
}

/** What a stream that keeps its messages says of those that it does not tell. */
export interface PlaceListeners {
  /** Messages were missed that can't be had from the stream any more. */
  readonly missed?: () => void;
  /**
   * From here on everything comes, in order: at the start, which may be late where the first connection is, and again after
   * each `missed`. What is fetched now leaves no gap; part of it may come once more as a message.
   */
  readonly live?: () => void;
}

export function presentOf({ missed, live }: PlaceListeners): NonNullable<SubscriptionEvents['present']> {
  return (_frame, isStart) => {
    if (!isStart) missed?.();
    live?.();
  };
}

/** The parts of a frame that it reads. */
type Frame = Message;

interface Place {
  readonly epoch: string;
  readonly seq: number;
}

/** Begins the receipts of subscriptions; those of messages have another, so that none is taken for the other's. */
export const liveMark = 'live ';
/** No stream has this place: the server then says where it stands, before anything else. */
const nowhere = ':0';

export class Subscription {
  readonly id: string;
  readonly destination: string;
  readonly isResumable: boolean;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #events: SubscriptionEvents;
  #place: Place | null = null;
  #isStarted = false;

  /** @param isResumable its messages have `seq` and `epoch`. */
  constructor(
    id: string,
    destination: string,
    options: { readonly isResumable: boolean; readonly headers: Readonly<Record<string, string>> },
    events: SubscriptionEvents,
  ) {
    this.id = id;
    this.destination = destination;
    this.isResumable = options.isResumable;
    this.#headers = options.headers;
    this.#events = events;
  }

  /** Of SUBSCRIBE. */
  get headers(): Record<string, string> {
    const place = this.#place;
    const resume = this.isResumable
      ? { resume: place ? `${place.epoch}:${place.seq}` : `none${nowhere}` }
      : {};
    return { ...resume, ...this.#headers, id: this.id, receipt: `${liveMark}${this.id}` };
  }

  /** Whether it has to begin at the present: it knows of no place to go on from. */
  get isNew(): boolean {
    return this.isResumable && this.#place === null;
  }

  started(): void {
    this.#events.started?.();
  }

  live(): void {
    this.#events.live?.();
  }

  received(frame: Frame): void {
    const { seq, epoch = '', recovered } = frame.headers;
    if (!this.isResumable || seq === undefined) return this.#events.message(frame);
    const place = { epoch, seq: Number(seq) };
    if (recovered === 'false') {
      this.#place = place;
      const isStart = !this.#isStarted;
      this.#isStarted = true;
      this.#events.present?.(frame, isStart);
      return;
    }
    // Heard already: over the connection before this one, which was still taken for well.
    if (this.#place?.epoch === epoch && place.seq <= this.#place.seq) return;
    this.#place = place;
    this.#events.message(frame);
  }

  /** @returns whether somebody takes it. */
  refused(error: StagewireError): boolean {
    const { refused } = this.#events;
    if (refused) tellSafely(() => refused(error));
    return refused !== undefined;
  }
}
