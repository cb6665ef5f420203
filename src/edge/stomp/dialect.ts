// What the server says in STOMP, for each version, and where a connection carries text alone.
import type { Delivery } from '../delivery.ts';
import type { Addressee, Connected, Dialect, Failure, Own } from '../dialect.ts';
import type { Encoding } from '../connection.ts';
import { encodeFrame, messageBlock, messageFrame } from './encoder.ts';
import type { Header, StompVersion } from './version.ts';

export class StompDialect implements Dialect {
  readonly name: string;
  readonly key: string;
  readonly isText = true;
  readonly idsAreOptional: boolean;
  readonly ofText: Dialect;
  readonly heartBeat = new Uint8Array([10]);
  readonly #version: StompVersion;
  /** What is no UTF-8 in a body becomes U+FFFD. */
  readonly #hasTextAlone: boolean;

  /** @param ofText for where there is text alone: the same for bodies that are text. */
  constructor(version: StompVersion, ofText: StompDialect | null) {
    this.#version = version;
    this.#hasTextAlone = ofText !== null;
    this.ofText = ofText ?? this;
    this.name = `stomp ${version}`;
    this.key = ofText === null ? version : `${version}-text`;
    this.idsAreOptional = version === '1.0';
  }

  connected({ session, user, heartBeatMs }: Connected): Uint8Array {
    return encodeFrame(this.#version, 'CONNECTED', [
      ['version', this.#version],
      ['heart-beat', `${heartBeatMs},${heartBeatMs}`],
      ['user-name', user],
      ['session', session],
    ]);
  }

  receipt(receipt: string): Uint8Array {
    return encodeFrame(this.#version, 'RECEIPT', [['receipt-id', receipt]]);
  }

  failure({ code, message, detail, receipt }: Failure): Uint8Array {
    const headers: Header[] = [
      ['message', message],
      ['code', code],
      ['content-type', 'text/plain'],
    ];
    if (receipt !== null) headers.push(['receipt-id', receipt]);
    return encodeFrame(this.#version, 'ERROR', headers, detail);
  }

  block({ destination, epoch, message, id }: Delivery): Uint8Array {
    const [seq, headers, bytes, isText] = message;
    const body = this.#hasTextAlone && !isText ? Buffer.from(Buffer.from(bytes).toString()) : bytes;
    const all: Header[] = [
      ['destination', destination],
      ['message-id', typeof id === 'string' ? id : id === null ? `${epoch}-${seq}` : `v-${id}`],
    ];
    if (epoch !== null) all.push(['seq', String(seq)], ['epoch', epoch]);
    if (headers === null) all.push(['content-type', 'application/json']);
    else all.push(...Object.entries(headers));
    return messageBlock(this.#version, all, body);
  }

  message(block: Uint8Array, delivery: Delivery, to: Addressee, own: Own | null): Uint8Array {
    const extra = own === null ? undefined : this.#headersOf(own, delivery);
    return messageFrame(this.#version, to.id, block, extra);
  }

  #headersOf({ ack, recovered, redelivered }: Own, { isQueued }: Delivery): Header[] {
    const headers: Header[] = [];
    if (redelivered) headers.push(['redelivered', 'true']);
    if (ack !== null) {
      headers.push(['ack', ack]);
      // Before 1.2 it is the id of the message that is acknowledged.
      if (!isQueued || this.#version !== '1.2') headers.push(['message-id', ack]);
    }
    if (recovered !== null) headers.push(['recovered', String(recovered)]);
    return headers;
  }
}

function dialectsOf(version: StompVersion): Readonly<Record<Encoding, StompDialect>> {
  const plain = new StompDialect(version, null);
  return { plain, sockjs: new StompDialect(version, plain) };
}

const dialects = { '1.0': dialectsOf('1.0'), '1.1': dialectsOf('1.1'), '1.2': dialectsOf('1.2') };

/** The one for all sessions of the version on connections of the encoding. */
export function stompDialect(version: StompVersion, encoding: Encoding): StompDialect {
  return dialects[version][encoding];
}
