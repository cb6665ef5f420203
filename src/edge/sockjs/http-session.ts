// A session over HTTP: one conversation in many requests. What is sent waits here for the response that brings it.
import type { Clock, Timer } from '../../lib/clock.ts';
import type { SockjsApp, SockjsConnection, SockjsHandler } from './connection.ts';
import { beatFrame, closeFrame, joinQuoted, messageFrame, openFrame, quotedIn } from './frames.ts';
import type { HttpGroups } from './http-groups.ts';
import { Outbox } from './outbox.ts';
import type { Receiver } from './receiver.ts';
import type { ReceivingName } from './transport.ts';

export interface HttpSessionOptions {
  readonly transport: ReceivingName;
  readonly address: string;
  /** What all its requests must show: a cookie that others don't know; null for none. */
  readonly secret: string | null;
  readonly heartBeatMs: number;
  /** A client that asks for nothing this long is gone. */
  readonly disconnectDelayMs: number;
  /** More than this waiting for the client ends the session. */
  readonly unreadBytesMax: number;
  readonly clock: Clock;
  readonly groups: HttpGroups;
  /** Called when nothing of it is left to ask for. */
  readonly gone: () => void;
}

/** Slower than this nobody is taken to be: how long a client may take to read the last response before it must ask again. */
const readBytesPerMs = 32;
const anotherOpen = closeFrame(2010, 'Another connection still open');
const interrupted = closeFrame(1002, 'Connection interrupted');
const unread = closeFrame(4008, 'too slow a reader');
const failed = closeFrame(1011, 'the server failed');
const goAway = closeFrame(3000, 'Go away!');

export class HttpSession implements SockjsConnection {
  readonly transport: ReceivingName;
  readonly address: string;
  readonly #options: HttpSessionOptions;
  #handler: SockjsHandler | null = null;
  #receiver: Receiver | null = null;
  readonly #outbox = new Outbox();
  #flushes = false;
  /** Set when the session is closed: what whoever asks is told, until it is gone. */
  #closing: Uint8Array | null = null;
  /** Whether it was told to somebody, or nobody is there to be told. */
  #isTold = false;
  readonly #joined = new Set<string>();
  #timer: Timer | null = null;
  #beat: Timer | null = null;
  #beats = true;
  #beatAtMs = 0;

  constructor(options: HttpSessionOptions) {
    this.#options = options;
    this.transport = options.transport;
    this.address = options.address;
  }

  /** Whether its end waits for the client to come for it. */
  get isEnding(): boolean {
    return !this.#isTold;
  }

  get bufferedBytes(): number {
    return this.#outbox.bytes;
  }

  /** The first request. @throws what the app throws, after the session has ended. */
  open(receiver: Receiver, app: SockjsApp, credential: string | null): void {
    this.#take(receiver);
    this.#write(receiver, openFrame);
    let handler: SockjsHandler;
    try {
      handler = app.open(this, credential);
    } catch (thrown) {
      this.#finish(failed);
      throw thrown;
    }
    this.#handler = handler;
    // It may have been closed by what it was opened for.
    if (this.#closing) handler.closed();
  }

  /** Each later request for frames. */
  attach(receiver: Receiver): void {
    if (this.#receiver) return receiver.last(anotherOpen);
    if (this.#closing) return this.#answerClosed(receiver, this.#closing);
    this.#take(receiver);
    this.#flush();
  }

  /** Messages of the client. One that is closed takes none. */
  receive(messages: readonly string[]): void {
    for (const message of messages) {
      if (this.#closing) return;
      this.#handler?.message(message);
    }
  }

  /** Whether a later request comes from whom the session is of. */
  admits(credential: string | null, secret: string | null): boolean | Promise<boolean> {
    const { secret: own } = this.#options;
    if (own !== null && secret !== own) return false;
    return this.#handler?.admits(credential) ?? true;
  }

  send(message: string | Uint8Array): void {
    this.sendFrame(messageFrame(message));
  }

  sendFrame(frame: Uint8Array): void {
    if (this.#closing) return;
    this.#outbox.push(quotedIn(frame));
    if (this.#flushes) return;
    // What is sent together goes out in one frame.
    this.#flushes = true;
    queueMicrotask(() => {
      this.#flushes = false;
      this.#flush();
      if (this.#outbox.bytes <= this.#options.unreadBytesMax || this.#closing) return;
      this.#outbox.clear();
      this.#finish(unread);
    });
  }

  join(group: string): void {
    if (this.#closing) return;
    this.#joined.add(group);
    this.#options.groups.join(group, this);
  }

  leave(group: string): void {
    this.#joined.delete(group);
    this.#options.groups.leave(group, this);
  }

  stopBeats(): void {
    this.#beats = false;
    this.#beat?.cancel();
  }

  close(code: number, reason: string): void {
    if (!this.#closing) this.#finish(closeFrame(code, reason));
  }

  #take(receiver: Receiver): void {
    this.#timer?.cancel();
    this.#receiver = receiver;
    receiver.exchange.onAborted = () => {
      if (this.#receiver !== receiver) return;
      this.#receiver = null;
      // What was on its way may be lost.
      this.#outbox.clear();
      this.#isTold = true;
      if (!this.#closing) this.#finish(interrupted);
    };
    const { clock, heartBeatMs } = this.#options;
    this.#beatAtMs = clock.now() + heartBeatMs;
    this.#beatLater(heartBeatMs);
  }

  #write(receiver: Receiver, frame: Uint8Array): void {
    const { clock, heartBeatMs } = this.#options;
    this.#beatAtMs = clock.now() + heartBeatMs;
    if (!receiver.write(frame)) this.#release(receiver);
  }

  /** The response has ended: the next request must come in time. */
  #release(receiver: Receiver): void {
    if (this.#receiver === receiver) this.#receiver = null;
    this.#beat?.cancel();
    this.#leaveIn(receiver.bytes);
  }

  #leaveIn(bytesToRead: number): void {
    const { clock, disconnectDelayMs } = this.#options;
    this.#timer?.cancel();
    this.#timer = clock.after(disconnectDelayMs + bytesToRead / readBytesPerMs, () => {
      this.#outbox.clear();
      if (!this.#closing) this.#finish(goAway);
      this.#forget();
    });
  }

  #forget(): void {
    this.#timer?.cancel();
    this.#options.gone();
  }

  #flush(): void {
    if (!this.#receiver || this.#outbox.isEmpty) return;
    for (let receiver = this.#receiver; !this.#outbox.isEmpty && this.#receiver; receiver = this.#receiver) {
      this.#write(receiver, joinQuoted(this.#outbox.take(receiver.room)));
    }
    if (!this.#closing) this.#handler?.drained();
  }

  #finish(frame: Uint8Array): void {
    this.#closing = frame;
    for (const group of this.#joined) this.#options.groups.leave(group, this);
    this.#flush();
    const receiver = this.#receiver;
    this.#receiver = null;
    this.#beat?.cancel();
    if (receiver) this.#tell(receiver, frame);
    this.#leaveIn(receiver?.bytes ?? 0);
    this.#handler?.closed();
  }

  #answerClosed(receiver: Receiver, frame: Uint8Array): void {
    if (this.#outbox.isEmpty) return this.#tell(receiver, frame);
    this.#receiver = receiver;
    this.#flush();
    if (this.#receiver) this.#tell(receiver, frame);
    this.#receiver = null;
    this.#leaveIn(receiver.bytes);
  }

  #tell(receiver: Receiver, frame: Uint8Array): void {
    this.#isTold = true;
    receiver.last(frame);
  }

  #beatLater(ms: number): void {
    this.#beat?.cancel();
    if (!this.#beats) return;
    const { clock } = this.#options;
    this.#beat = clock.after(ms, () => {
      const receiver = this.#receiver;
      if (!receiver) return;
      if (clock.now() >= this.#beatAtMs) this.#write(receiver, beatFrame);
      if (this.#receiver) this.#beatLater(this.#beatAtMs - clock.now());
    });
  }
}
