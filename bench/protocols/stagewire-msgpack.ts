// Stagewire's binary protocol, written with the package of its format. Reading looks for the few bytes it needs.
import { Packr } from 'msgpackr';
import { StampReader, stampText } from '../lib/stamp.ts';
import { excerpt, type Outgoing, type Peer, type Protocol } from './protocol.ts';

const packr = new Packr({ useRecords: false, variableMapSize: true });

// Commands, as SPEC.md numbers them.
const connect = 1;
const send = 2;
const subscribe = 3;
const disconnect = 10;
const connected = 16;
const message = 17;
const receipt = 18;
const heartBeat = 0x90;

/** Receipts below are answers to SUBSCRIBE and DISCONNECT; those of messages are their stamps, which take four bytes. */
const confirmation = 1;
/** Where a RECEIPT has its number: after the array and the command. */
const receiptAt = 2;

export class StagewireMsgpackProtocol implements Protocol {
  readonly requestTarget = '/ws';
  readonly subprotocol = 'stagewire.msgpack';
  readonly echoes = true;
  readonly #deliveries = new StampReader();
  readonly #contentBytes: number;

  constructor(contentBytes: number) {
    this.#contentBytes = contentBytes;
  }

  open(peer: Peer): void {
    peer.write(packr.pack([connect, 1, peer.token]));
  }

  subscribe(peer: Peer, rooms: readonly string[], sends: boolean): number {
    const destinations = rooms.map((room) => `/topic/room.${room}`);
    if (sends) {
      destinations.push('/user/queue/errors');
    }
    destinations.forEach((destination, index) => {
      peer.write(packr.pack([subscribe, index + 1, destination, confirmation]));
    });
    return destinations.length;
  }

  send(peer: Peer, { room, stampUs, receipt: isAsked }: Outgoing): void {
    const body = Buffer.from(`{"content":"${stampText(stampUs).padEnd(this.#contentBytes, '.')}"}`);
    const frame = [send, `/app/chat.send/${room}`, body];
    peer.write(packr.pack(isAsked ? [...frame, stampUs] : frame));
  }

  leave(peer: Peer): number {
    peer.write(packr.pack([disconnect, confirmation]));
    return 1;
  }

  read(bytes: Buffer, start: number, end: number, peer: Peer): void {
    const command = bytes[start + 1];
    if (command === message) {
      const stampUs = this.#deliveries.read(bytes, start, end);
      if (stampUs < 0) {
        peer.refused(excerpt(bytes, start, end));
      } else {
        peer.delivered(stampUs);
      }
    } else if (command === receipt) {
      const number = packr.unpack(bytes.subarray(start + receiptAt, end)) as number;
      if (number === confirmation) {
        peer.confirmed();
      } else {
        peer.receipted(number);
      }
    } else if (command === connected) {
      peer.signedIn();
    } else if (bytes[start] !== heartBeat) {
      peer.refused(excerpt(bytes, start, end));
    }
  }
}
