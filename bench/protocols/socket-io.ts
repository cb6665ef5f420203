// socket.io 4: engine.io's packet type, then socket.io's, then JSON. `42` an event, `43` an acknowledgement.
import { StampReader, stampText } from '../lib/stamp.ts';
import { excerpt, type Outgoing, type Peer, type Protocol } from './protocol.ts';

/** Bytes of a delivered event that are not the content: `42["m","` and `"]`. */
const overheadBytes = 10;

export class SocketIoProtocol implements Protocol {
  readonly requestTarget = '/socket.io/?EIO=4&transport=websocket';
  readonly subprotocol = undefined;
  readonly echoes = true;
  readonly #stamps = new StampReader();
  readonly #contentBytes: number;

  /** `frameBytes` is the length of a delivered event. */
  constructor(frameBytes: number) {
    this.#contentBytes = frameBytes - overheadBytes;
  }

  open(): void {
    // The server speaks first: packet `0`.
  }

  subscribe(peer: Peer, rooms: readonly string[]): number {
    for (const room of rooms) {
      peer.write(`420["join","${room}"]`);
    }
    return rooms.length;
  }

  send(peer: Peer, { room, stampUs, receipt }: Outgoing): void {
    // The stamp doubles as the acknowledgement's number; 0 is kept for joins.
    const acknowledgement = receipt ? String(stampUs) : '';
    peer.write(`42${acknowledgement}["m","${room}","${stampText(stampUs).padEnd(this.#contentBytes, '.')}"]`);
  }

  leave(peer: Peer): number {
    peer.write('41');
    return 0;
  }

  read(bytes: Buffer, start: number, end: number, peer: Peer): void {
    const first = bytes[start];
    const second = bytes[start + 1];
    if (first === 0x34 && second === 0x32) {
      peer.delivered(this.#stamps.read(bytes, start, end));
    } else if (first === 0x34 && second === 0x33) {
      const stampUs = Number.parseInt(bytes.toString('latin1', start + 2, end), 10);
      if (stampUs === 0) {
        peer.confirmed();
      } else {
        peer.receipted(stampUs);
      }
    } else if (first === 0x34 && second === 0x30) {
      peer.signedIn();
    } else if (first === 0x30) {
      peer.write(`40${JSON.stringify({ token: peer.token })}`);
    } else if (first === 0x32) {
      peer.write('3');
    } else {
      peer.refused(excerpt(bytes, start, end));
    }
  }
}
