// What one client says in STOMP, and what its CONNECT settles.
import { bearerToken } from '../bearer.ts';
import type { Encoding } from '../connection.ts';
import type { Conversation, Dialect, Introduction } from '../dialect.ts';
import { ProtocolError, type Frame, type FrameHeaders, type FrameLimits } from '../frame.ts';
import { stompDialect } from './dialect.ts';
import { StompParser } from './parser.ts';
import type { StompVersion } from './version.ts';

const versions: readonly StompVersion[] = ['1.2', '1.1', '1.0'];

export class StompConversation implements Conversation {
  dialect: Dialect;
  readonly #encoding: Encoding;
  readonly #parser: StompParser;

  constructor(limits: FrameLimits, encoding: Encoding) {
    this.#parser = new StompParser(limits);
    this.#encoding = encoding;
    this.dialect = stompDialect('1.2', encoding);
  }

  push(chunk: Uint8Array, isText: boolean, onFrame: (frame: Frame, isText: boolean) => void): void {
    // What came before may have been bytes, and the first frame ends with both.
    const wholeText = isText && this.#parser.bufferedBytes === 0;
    this.#parser.push(chunk, (frame) => onFrame(frame, wholeText));
  }

  introduce({ headers }: Frame): Introduction {
    const version = negotiateVersion(headers);
    this.#parser.version = version;
    this.dialect = stompDialect(version, this.#encoding);
    const [canSendMs, wantsMs] = heartBeats(headers);
    const token = bearerToken(headers.get('Authorization') ?? headers.get('authorization'));
    return { canSendMs, wantsMs, token };
  }
}

/**
 * The highest common version. Without `accept-version` it is 1.0, as that version's clients send none.
 *
 * @throws ProtocolError when there is none.
 */
function negotiateVersion(headers: FrameHeaders): StompVersion {
  const accepted = headers.get('accept-version');
  if (accepted === undefined) return '1.0';
  const offered = accepted.split(',').map((version) => version.trim());
  const version = versions.find((candidate) => offered.includes(candidate));
  if (version) return version;
  throw new ProtocolError('BAD_REQUEST', `Supported protocol versions are ${versions.join(', ')}.`);
}

function heartBeats(headers: FrameHeaders): [canSendMs: number, wantsMs: number] {
  const [, canSend, wants] = /^(\d{1,9}),(\d{1,9})$/.exec(headers.get('heart-beat') ?? '0,0') ?? [];
  if (canSend !== undefined && wants !== undefined) return [Number(canSend), Number(wants)];
  throw new ProtocolError('BAD_REQUEST', 'heart-beat must be two whole numbers: <can send>,<wants>.');
}
