// One STOMP connection to Stagewire, for loads that are not about rooms: sign in, subscribe, take what comes.
import { makeDeferred, type Deferred } from '../lib/deferred.ts';
import { WebSocketClient, type WebSocketListener } from '../lib/websocket-client.ts';
import { excerpt } from '../protocols/protocol.ts';

export interface StompListener {
  /** A MESSAGE: `bytes[start, end)`, valid only during the call. */
  message(bytes: Buffer, start: number, end: number): void;
  /** An ERROR, or a message on the queue of refusals. */
  refused(reason: string): void;
  closed(reason: string): void;
}

export interface StompOptions {
  readonly port: number;
  readonly token: string;
  /** Where it connects from, when one address has too few ports. */
  readonly localAddress?: string;
}

const letterC = 0x43;
const letterM = 0x4d;
const letterR = 0x52;
const newline = 0x0a;
const bodyMark = Buffer.from('\n\n');
// `MESSAGE\nsubscription:`: the server writes that header first.
const subscriptionAt = 'MESSAGE\nsubscription:'.length;
const refusalsId = 'refusals';

/** The subscription that a MESSAGE came by. */
export function subscriptionOf(bytes: Buffer, start: number): string {
  const from = start + subscriptionAt;
  return bytes.toString('latin1', from, bytes.indexOf(newline, from));
}

/** The body of a MESSAGE as text. */
export function bodyOf(bytes: Buffer, start: number, end: number): string {
  return bytes.toString('utf8', bytes.indexOf(bodyMark, start) + bodyMark.length, end - 1);
}

export class StompClient implements WebSocketListener {
  /** Resolves once the server has accepted the token. */
  readonly isIn: Promise<void>;
  readonly #token: string;
  readonly #listener: StompListener;
  readonly #client: WebSocketClient;
  readonly #in = makeDeferred();
  /** Who waits for receipts, in order of the frames. */
  readonly #waiting: Deferred<void>[] = [];
  #hasLeft = false;

  constructor({ port, token, localAddress }: StompOptions, listener: StompListener) {
    this.#token = token;
    this.#listener = listener;
    this.isIn = this.#in.promise;
    this.isIn.catch(() => undefined);
    const target = { port, requestTarget: '/ws', subprotocol: 'v12.stomp' };
    this.#client = new WebSocketClient(
      localAddress === undefined ? target : { ...target, localAddress },
      this,
    );
  }

  /** Resolves when the subscription is live. */
  subscribe(id: string, destination: string): Promise<void> {
    const waiting = makeDeferred();
    this.#waiting.push(waiting);
    this.#client.send(`SUBSCRIBE\nid:${id}\ndestination:${destination}\nreceipt:r\n\n\0`);
    return waiting.promise;
  }

  /** Has what is refused told to the listener. */
  hearRefusals(): void {
    this.#client.send(`SUBSCRIBE\nid:${refusalsId}\ndestination:/user/queue/errors\n\n\0`);
  }

  /** Subscribes to an answer, which is its one message. */
  ask(id: string, destination: string): void {
    this.#client.send(`SUBSCRIBE\nid:${id}\ndestination:${destination}\n\n\0`);
  }

  /** Says goodbye; the listener is not told of the end. */
  leave(): void {
    this.#hasLeft = true;
    this.#client.close();
  }

  opened(): void {
    this.#client.send(
      `CONNECT\naccept-version:1.2\nhost:127.0.0.1\nheart-beat:0,0\nAuthorization:Bearer ${this.#token}\n\n\0`,
    );
  }

  message(bytes: Buffer, start: number, end: number): void {
    const first = bytes[start];
    if (first === letterM) {
      if (bytes[start + subscriptionAt] === refusalsId.charCodeAt(0)) {
        this.#listener.refused(excerpt(bytes, start, end));
      } else {
        this.#listener.message(bytes, start, end);
      }
    } else if (first === letterR) {
      this.#waiting.shift()?.resolve();
    } else if (first === letterC) {
      this.#in.resolve();
    } else if (first !== newline) {
      this.#listener.refused(excerpt(bytes, start, end));
    }
  }

  closed(reason: string): void {
    const error = new Error(reason);
    this.#in.reject(error);
    this.#waiting.splice(0).forEach((waiting) => waiting.reject(error));
    if (!this.#hasLeft) {
      this.#listener.closed(reason);
    }
  }
}
