// The smallest protocol that does the work: what the `uws` and `ws` peers speak.
// `@token` signs in, `+room` joins, `m` or `M` + room + content goes to everyone in the room, `M` is answered `r` + stamp.
import { StampReader, stampText } from '../lib/stamp.ts';
import { excerpt, type Outgoing, type Peer, type Protocol } from './protocol.ts';

/** Every room name has this many characters, so that a server finds it without searching. */
export const roomBytes = 8;

export class RawProtocol implements Protocol {
  readonly requestTarget = '/';
  readonly subprotocol = undefined;
  readonly echoes = true;
  readonly #stamps = new StampReader();
  readonly #contentBytes: number;

  /** `frameBytes` is the length of a delivered message. */
  constructor(frameBytes: number) {
    this.#contentBytes = frameBytes - 1 - roomBytes;
  }

  open(peer: Peer): void {
    peer.write(`@${peer.token}`);
  }

  subscribe(peer: Peer, rooms: readonly string[]): number {
    for (const room of rooms) {
      peer.write(`+${room}`);
    }
    return rooms.length;
  }

  send(peer: Peer, { room, stampUs, receipt }: Outgoing): void {
    peer.write(`${receipt ? 'M' : 'm'}${room}${stampText(stampUs).padEnd(this.#contentBytes, '.')}`);
  }

  leave(): number {
    return 0;
  }

  read(bytes: Buffer, start: number, end: number, peer: Peer): void {
    switch (bytes[start]) {
      case 0x6d: // m
      case 0x4d: // M
        peer.delivered(this.#stamps.read(bytes, start, end));
        break;
      case 0x72: // r
        peer.receipted(Number(bytes.toString('latin1', start + 3, end)));
        break;
      case 0x2b: // +
        peer.confirmed();
        break;
      case 0x40: // @
        peer.signedIn();
        break;
      default:
        peer.refused(excerpt(bytes, start, end));
    }
  }
}
