// STOMP 1.2 over a raw WebSocket, for Stagewire and for stomp-broker-js. They differ in destinations and in receipts.
import { StampReader, stampText } from '../lib/stamp.ts';
import { excerpt, type Outgoing, type Peer, type Protocol } from './protocol.ts';

/** How one broker wants to be spoken to. */
export interface StompDialect {
  readonly requestTarget: string;
  readonly subprotocol: string | undefined;
  readonly echoes: boolean;
  /** Destination of a SUBSCRIBE. */
  topic(room: string): string;
  /** Destination of a SEND. */
  target(room: string): string;
  /** Body of a SEND; `stamp` must be in it. */
  body(stamp: string): string;
  /** Where refusals are told, if anywhere. */
  readonly refusals: string | undefined;
  /** Whether SUBSCRIBE is answered with a RECEIPT. If not, an UNSUBSCRIBE that must be refused shows it was read. */
  readonly confirmsSubscribe: boolean;
}

const letterC = 0x43;
const letterM = 0x4d;
const letterR = 0x52;
const newline = 0x0a;
const unknownSubscription = 'no-such-subscription';

export class StompProtocol implements Protocol {
  readonly requestTarget: string;
  readonly subprotocol: string | undefined;
  readonly echoes: boolean;
  readonly #dialect: StompDialect;
  readonly #deliveries = new StampReader();
  readonly #receipts = new StampReader();

  constructor(dialect: StompDialect) {
    this.#dialect = dialect;
    this.requestTarget = dialect.requestTarget;
    this.subprotocol = dialect.subprotocol;
    this.echoes = dialect.echoes;
  }

  open(peer: Peer): void {
    peer.write(
      `CONNECT\naccept-version:1.2\nhost:127.0.0.1\nheart-beat:0,0\nAuthorization:Bearer ${peer.token}\n\n\0`,
    );
  }

  subscribe(peer: Peer, rooms: readonly string[], sends: boolean): number {
    const destinations = rooms.map((room) => this.#dialect.topic(room));
    if (sends && this.#dialect.refusals !== undefined) {
      destinations.push(this.#dialect.refusals);
    }
    destinations.forEach((destination, index) => {
      const receipt = this.#dialect.confirmsSubscribe ? 'receipt:subscribed\n' : '';
      peer.write(`SUBSCRIBE\nid:sub-${index}\ndestination:${destination}\n${receipt}\n\0`);
      if (!this.#dialect.confirmsSubscribe) {
        peer.write(`UNSUBSCRIBE\nid:${unknownSubscription}\n\n\0`);
      }
    });
    return destinations.length;
  }

  send(peer: Peer, { room, stampUs, receipt }: Outgoing): void {
    const stamp = stampText(stampUs);
    const body = this.#dialect.body(stamp);
    const receiptHeader = receipt ? `receipt:${stamp}\n` : '';
    peer.write(
      `SEND\ndestination:${this.#dialect.target(room)}\n${receiptHeader}content-length:${body.length}\n\n${body}\0`,
    );
  }

  leave(peer: Peer): number {
    peer.write('DISCONNECT\nreceipt:left\n\n\0');
    return 1;
  }

  read(bytes: Buffer, start: number, end: number, peer: Peer): void {
    const first = bytes[start];
    if (first === letterM) {
      const stampUs = this.#deliveries.read(bytes, start, end);
      if (stampUs < 0) {
        peer.refused(excerpt(bytes, start, end));
      } else {
        peer.delivered(stampUs);
      }
    } else if (first === letterR) {
      const stampUs = this.#receipts.read(bytes, start, end);
      if (stampUs < 0) {
        peer.confirmed();
      } else {
        peer.receipted(stampUs);
      }
    } else if (first === letterC) {
      peer.signedIn();
    } else if (
      !this.#dialect.confirmsSubscribe &&
      bytes.toString('latin1', start, end).includes(unknownSubscription)
    ) {
      peer.confirmed();
    } else if (first !== newline) {
      peer.refused(excerpt(bytes, start, end));
    }
  }
}

/** Stagewire's rooms: SEND to the application, MESSAGE on the room's topic, `content` padded to `contentBytes`. */
export function stagewireDialect(contentBytes: number): StompDialect {
  return {
    requestTarget: '/ws',
    subprotocol: 'v12.stomp',
    echoes: true,
    topic: (room) => `/topic/room.${room}`,
    target: (room) => `/app/chat.send/${room}`,
    body: (stamp) => `{"content":"${stamp.padEnd(contentBytes, '.')}"}`,
    refusals: '/user/queue/errors',
    confirmsSubscribe: true,
  };
}

/** Bytes of a stomp-broker-js MESSAGE that are not its body, with the header fields this load causes. */
const stompBrokerOverheadBytes = 100;

/** A plain broker: what is sent to a topic goes to its subscribers, padded so that a MESSAGE has `frameBytes`. */
export function stompBrokerDialect(frameBytes: number): StompDialect {
  return {
    requestTarget: '/ws',
    subprotocol: 'v12.stomp',
    echoes: false,
    topic: (room) => `/topic/room.${room}`,
    target: (room) => `/topic/room.${room}`,
    body: (stamp) => stamp.padEnd(frameBytes - stompBrokerOverheadBytes, '.'),
    refusals: undefined,
    confirmsSubscribe: false,
  };
}
