// A session: one client that is spoken to, in whatever dialect. Pure of sockets and threads: bytes come in through
// `receive`, frames go out through its Connection, commands through its Edge.
import { Refusal } from '../errors.ts';
import type { WheelNode } from '../lib/wheel.ts';
import type { Asker } from '../link/messages.ts';
import type { Identity } from './auth.ts';
import { Backlog } from './backlog.ts';
import { agreeOnBeats, Beats } from './beats.ts';
import { CloseCode, type Connection } from './connection.ts';
import type { Delivery } from './delivery.ts';
import type { Addressee, Conversation, Dialect, Own } from './dialect.ts';
import { Early } from './early.ts';
import type { Edge } from './edge.ts';
import { ProtocolError, type Frame } from './frame.ts';
import { refusalBody } from './refusal-body.ts';
import { Commit } from './frame-waiting.ts';
import { checkRate, send } from './sends.ts';
import { acknowledge, subscribe, unsubscribe } from './subscribes.ts';
import type { Subscription } from './subscription.ts';
import { Transactions, type HeldFrame } from './transactions.ts';

export type Phase = 'new' | 'authenticating' | 'open' | 'leaving' | 'closed';

const nobody: Asker = ['', []];
/** How long a client that got its last RECEIPT may take to close. */
const closeAfterReceiptMs = 5_000;

export interface SessionOptions {
  readonly id: string;
  readonly connection: Connection;
  readonly conversation: Conversation;
  readonly urlToken: string | null;
}

export class Session implements WheelNode {
  wheelNext: WheelNode | null = null;
  wheelPrevious: WheelNode | null = null;
  wheelAtMs = 0;

  readonly id: string;
  readonly connection: Connection;
  readonly openedAtMs: number;
  /** What is known of the user; empty before CONNECT. */
  asker: Asker = nobody;
  phase: Phase = 'new';
  /** By the client's id; made with the first. */
  subscriptions: Map<string, Subscription> | null = null;
  /** Those of `/user/queue/errors`. */
  errors: Subscription[] | null = null;
  readonly backlog: Backlog;
  /** Those of conflated streams that were left out; the first is the one that is caught up now. */
  behind: Subscription[] | null = null;
  /** Bodies of queues that wait until the client has read on. */
  pendingBytes = 0;
  /** Commands asked and not answered. */
  inFlight = 0;
  /** Why the session ended, for the log. */
  endReason = 'connection lost';
  /** The close code it was ended with; null while nobody but the client has ended it. */
  endCode: number | null = null;
  readonly #edge: Edge;
  readonly #conversation: Conversation;
  #transactions: Transactions | null = null;
  readonly #beats: Beats;
  #expiresAtMs: number | null = null;
  #early: Early | null = null;
  #disconnectReceipt: string | null = null;
  /** The token of the URL, until CONNECT. */
  #urlToken: string | null;

  constructor(edge: Edge, { id, connection, conversation, urlToken }: SessionOptions) {
    this.#edge = edge;
    this.connection = connection;
    this.#conversation = conversation;
    this.backlog = new Backlog(connection);
    this.id = id;
    this.#urlToken = urlToken;
    this.openedAtMs = edge.now();
    this.#beats = new Beats(this.openedAtMs);
    edge.wake(this, this.openedAtMs + edge.config.firstFrameWithinMs);
  }

  get user(): string {
    return this.asker[0];
  }

  get dialect(): Dialect {
    return this.#conversation.dialect;
  }

  /** Bytes of the client; `isText` when they came as text, which is then known to be UTF-8. */
  receive(chunk: Uint8Array, isText: boolean): void {
    if (this.phase === 'closed' || this.#edge.draining) return;
    this.#beats.receivedAtMs = this.#edge.now();
    if (this.phase === 'authenticating') {
      const copy = new Uint8Array(chunk);
      return this.#keepEarly(copy.length, () => this.receive(copy, isText));
    }
    this.#orFail(() => this.#conversation.push(chunk, isText, this.#onFrame));
  }

  /** Called by the edge's wheel when something of the session is due. */
  tick(nowMs: number): void {
    if (this.phase === 'new') return this.end(CloseCode.noFirstFrame, 'no first frame in time');
    if (this.phase === 'leaving') {
      // A heart-beat may fall due before the last answer is there, and must not cut that off.
      if (this.inFlight === 0) this.end(CloseCode.normal, 'client left');
      return;
    }
    if (this.phase !== 'open') return;
    if (this.#expiresAtMs !== null && nowMs >= this.#expiresAtMs) {
      return this.fail('UNAUTHORIZED', CloseCode.unauthorized, 'UNAUTHORIZED', 'The token has expired.');
    }
    if (this.#beats.isSilent(nowMs)) {
      return this.fail('Session closed.', CloseCode.protocol, 'BAD_REQUEST', 'No heart-beat came in time.');
    }
    if (this.#beats.take(nowMs)) this.connection.send(this.dialect.heartBeat, this.dialect.isText);
    this.#schedule();
  }

  /** The effect of a frame that asked for it is durable or live. */
  receipt(receipt: string | null | undefined): void {
    if (receipt === null || receipt === undefined || this.phase === 'closed') return;
    this.#edge.counts.receipts.add();
    const { dialect } = this;
    this.connection.sendGathered(dialect.receipt(receipt), dialect.isText);
  }

  /** A frame of its own for a subscription that does not share its group's. */
  deliver(subscription: Subscription, delivery: Delivery): void {
    this.write(subscription, delivery, subscription.own(delivery.message[0]));
    // Not at once: whoever delivers goes on with subscriptions that would have ended with the session.
    if (this.backlog.isOver(this.#edge.config.unreadBytesMax)) {
      queueMicrotask(() => this.#edge.checkSpeed(this));
    }
  }

  write(to: Addressee, delivery: Delivery, own: Own | null): void {
    const { dialect } = this;
    this.#edge.counts.deliveries.add();
    this.connection.send(delivery.frame(dialect, to, own), dialect.isText && delivery.message[3]);
  }

  /** Tells the client what was refused; the connection stays. */
  refuse(refusal: Refusal, destination: string, receipt: string | null | undefined): void {
    this.#edge.counts.framesRefused[refusal.code].add();
    if (!this.errors || this.phase === 'closed') return;
    const subject = this.#edge.routes.subjectOf(destination);
    const body = refusalBody(refusal, { destination, receipt, subject }, this.#edge.now());
    for (const subscription of this.errors) {
      const delivery = this.#edge.fanOut.delivery(subscription.source.shown, null, [0, null, body, true]);
      this.deliver(subscription, delivery);
    }
  }

  /** ERROR and close: the frame broke the protocol, or the session may not go on. */
  fail(message: string, closeCode: number, code: string, detail = message): void {
    if (this.phase === 'closed') return;
    const { dialect } = this;
    const failure = { code, message, detail, receipt: this.#disconnectReceipt };
    this.connection.send(dialect.failure(failure), dialect.isText);
    this.end(closeCode, detail);
  }

  end(closeCode: number, reason: string): void {
    if (this.phase === 'closed') return;
    this.endReason = reason;
    this.endCode = closeCode;
    this.connection.close(closeCode, reason);
  }

  /** The connection is gone, whoever ended it. */
  closed(): void {
    this.phase = 'closed';
    this.backlog.clear();
    this.behind = null;
    this.#early = null;
    this.#transactions = null;
  }

  /** So many commands were answered: a client that wants to leave waits for its last one. */
  settled(count = 1): void {
    this.inFlight -= count;
    if (this.phase === 'leaving' && this.inFlight === 0) this.#finishLeaving();
  }

  /** A fresh token for a session that goes on. */
  refresh(identity: Identity): void {
    this.asker = [identity.user, identity.roles, this.id];
    this.#expiresAtMs = identity.expiresAtMs;
    this.#schedule();
  }

  // Made once: a closure for each message would be thrown away with it.
  readonly #onFrame = (frame: Frame, isText: boolean): void => this.#receiveFrame(frame, isText);

  /** @param isText whether the body is known to be UTF-8. */
  #receiveFrame(frame: Frame, isText: boolean): void {
    if (this.phase === 'closed' || this.phase === 'leaving') return;
    if (this.phase === 'authenticating') {
      const copy = { ...frame, body: new Uint8Array(frame.body) };
      return this.#keepEarly(copy.body.length, () => this.#orFail(() => this.#receiveFrame(copy, isText)));
    }
    this.#edge.counts.framesIn.add();
    if (this.phase === 'new') {
      if (frame.command === 'CONNECT' || frame.command === 'STOMP') return this.#connect(frame);
      throw new ProtocolError('BAD_REQUEST', 'The first frame must be CONNECT.');
    }
    try {
      this.#handle(frame, isText);
    } catch (thrown) {
      if (!(thrown instanceof Refusal)) throw thrown;
      this.#transactions?.spoil(frame);
      this.refuse(thrown, frame.headers.get('destination') ?? '', frame.headers.get('receipt'));
    }
  }

  #handle(frame: Frame, isText: boolean): void {
    switch (frame.command) {
      case 'CONNECT':
      case 'STOMP':
        throw new ProtocolError('BAD_REQUEST', 'Session already exists.');
      case 'SEND':
        checkRate(this.#edge, this);
        if (this.#hold(frame, isText)) return;
        return send(this.#edge, this, frame, { isText, commit: null });
      case 'ACK':
      case 'NACK':
        if (this.#hold(frame, isText)) return;
        return acknowledge(this.#edge, this, frame, null);
      case 'SUBSCRIBE':
        return subscribe(this.#edge, this, frame);
      case 'UNSUBSCRIBE':
        return unsubscribe(this.#edge, this, frame);
      case 'BEGIN':
        this.#openTransactions().begin(frame);
        return this.receipt(frame.headers.get('receipt'));
      case 'COMMIT':
        return this.#commit(frame);
      case 'ABORT':
        this.#openTransactions().take(frame);
        return this.receipt(frame.headers.get('receipt'));
      case 'DISCONNECT':
        return this.#leave(frame);
    }
  }

  #hold(frame: Frame, isText: boolean): boolean {
    if (!frame.headers.has('transaction')) return false;
    this.#openTransactions().hold(frame, isText);
    return true;
  }

  #openTransactions(): Transactions {
    return (this.#transactions ??= new Transactions());
  }

  #commit(frame: Frame): void {
    const held = this.#openTransactions().take(frame);
    const commit = new Commit(this, held, frame.headers.get('receipt'));
    for (const one of held.frames) this.#attempt(one, commit);
  }

  #attempt(held: HeldFrame, commit: Commit | null): void {
    const { frame, isText } = held;
    try {
      if (frame.command === 'SEND') send(this.#edge, this, frame, { isText, commit });
      else acknowledge(this.#edge, this, frame, commit);
    } catch (thrown) {
      if (!(thrown instanceof Refusal)) throw thrown;
      this.refuse(thrown, frame.headers.get('destination') ?? '', frame.headers.get('receipt'));
      commit?.settle(false);
    }
  }

  #connect(frame: Frame): void {
    const introduction = this.#conversation.introduce(frame);
    this.#beats.agreed = agreeOnBeats(this.#edge.config.heartBeatMs, introduction);
    const token = introduction.token ?? this.#urlToken;
    this.#urlToken = null;
    this.phase = 'authenticating';
    if (token === null) return this.#turnAway(new Refusal('UNAUTHORIZED', 'CONNECT carries no token.'));
    const refused = (thrown: unknown): void =>
      this.#turnAway(
        thrown instanceof Refusal ? thrown : new Refusal('UNAVAILABLE', 'The token could not be checked.'),
      );
    this.#edge.authenticator
      .verify(token)
      .then((identity) => this.#open(identity), refused)
      .catch((error: unknown) => this.#edge.failed(this, error));
  }

  /** A client that hears UNAUTHORIZED gives up, so it is told only to those whose token was looked at. */
  #turnAway({ code, message }: Refusal): void {
    const closeCode = code === 'UNAUTHORIZED' ? CloseCode.unauthorized : CloseCode.later;
    this.fail(code, closeCode, code, message);
  }

  #open(identity: Identity): void {
    if (this.phase !== 'authenticating') return;
    this.phase = 'open';
    this.refresh(identity);
    if (this.#beats.agreed.sendEveryMs > 0) this.connection.takeOverBeats();
    const { dialect } = this;
    const { heartBeatMs } = this.#edge.config;
    const connected = { session: this.id, user: identity.user, heartBeatMs };
    this.connection.send(dialect.connected(connected), dialect.isText);
    this.#edge.opened(this);
    const early = this.#early;
    this.#early = null;
    early?.release();
  }

  #keepEarly(bytes: number, task: () => void): void {
    this.#early ??= new Early(this.#edge.config.frames.frameBytesMax);
    if (this.#early.keep(bytes, task)) return;
    this.fail('Too much was sent before CONNECT was answered.', CloseCode.protocol, 'TOO_LARGE');
  }

  #orFail(task: () => void): void {
    try {
      task();
    } catch (thrown) {
      if (!(thrown instanceof ProtocolError)) throw thrown;
      this.fail(thrown.message, CloseCode.protocol, thrown.code);
    }
  }

  #leave(frame: Frame): void {
    this.phase = 'leaving';
    this.endReason = 'client left';
    this.#edge.consumers.endOf(this);
    this.#disconnectReceipt = frame.headers.get('receipt') ?? null;
    if (this.inFlight === 0) this.#finishLeaving();
  }

  /** The RECEIPT of DISCONNECT says that all before it was handled. The client closes; if not, the server does. */
  #finishLeaving(): void {
    if (this.#disconnectReceipt === null) return this.end(CloseCode.normal, 'client left');
    this.receipt(this.#disconnectReceipt);
    this.#edge.wake(this, this.#edge.now() + closeAfterReceiptMs);
  }

  #schedule(): void {
    const due = Math.min(this.#expiresAtMs ?? Number.POSITIVE_INFINITY, this.#beats.dueAtMs);
    if (due === Number.POSITIVE_INFINITY) this.#edge.sleep(this);
    else this.#edge.wake(this, due);
  }
}
