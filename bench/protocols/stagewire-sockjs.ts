// STOMP within the frames of SockJS, over its WebSocket transport: what a front end with a SockJS client speaks.
import { excerpt, type Outgoing, type Peer, type Protocol } from './protocol.ts';

const letterA = 0x61;
const letterC = 0x63;
const frameStart = 'a["'.length;
const frameEnd = '"]'.length;

export class SockjsProtocol implements Protocol {
  // Sessions over WebSocket may share a name.
  readonly requestTarget = '/ws/000/bench/websocket';
  readonly subprotocol = undefined;
  readonly echoes: boolean;
  readonly #inner: Protocol;

  constructor(inner: Protocol) {
    this.#inner = inner;
    this.echoes = inner.echoes;
  }

  open(peer: Peer): void {
    this.#inner.open(framed(peer));
  }

  subscribe(peer: Peer, rooms: readonly string[], sends: boolean): number {
    return this.#inner.subscribe(framed(peer), rooms, sends);
  }

  send(peer: Peer, message: Outgoing): void {
    this.#inner.send(framed(peer), message);
  }

  leave(peer: Peer): number {
    return this.#inner.leave(framed(peer));
  }

  /** A frame brings one message. It is read as it lies, escaped: its first letter and the stamp are never escaped. */
  read(bytes: Buffer, start: number, end: number, peer: Peer): void {
    if (bytes[start] === letterA) this.#inner.read(bytes, start + frameStart, end - frameEnd, peer);
    else if (bytes[start] === letterC) peer.refused(excerpt(bytes, start, end));
  }
}

/** The peer with each message that is written in a frame of its own. Nothing else of it is asked by who writes. */
function framed(peer: Peer): Peer {
  return Object.create(peer, {
    write: { value: (text: string) => peer.write(JSON.stringify([text])) },
  }) as Peer;
}
