// What CONNECT settles: the version both sides speak, heart-beats, and whose token it carries.
import { ProtocolError, type Frame, type FrameHeaders, type StompVersion } from './stomp/frame.ts';

export interface HeartBeats {
  /** The server sends something at least this often; 0 for never. */
  readonly sendEveryMs: number;
  /** The client is gone when nothing came for this long; 0 for never. */
  readonly receiveWithinMs: number;
}

const versions: readonly StompVersion[] = ['1.2', '1.1', '1.0'];
/** Beats that may be missed before the client counts as gone. */
const beatsMissedMax = 3;

/**
 * The highest common version. Without `accept-version` it is 1.0, as that version's clients send none.
 *
 * @throws ProtocolError when there is none.
 */
export function negotiateVersion(headers: FrameHeaders): StompVersion {
  const accepted = headers.get('accept-version');
  if (accepted === undefined) return '1.0';
  const offered = accepted.split(',').map((version) => version.trim());
  const version = versions.find((candidate) => offered.includes(candidate));
  if (version) return version;
  throw new ProtocolError('BAD_REQUEST', `Supported protocol versions are ${versions.join(', ')}.`);
}

/**
 * Each direction runs at the slower of what its sender can do and its receiver wants.
 *
 * @param serverEveryMs what the server offers both ways.
 */
export function negotiateHeartBeats(headers: FrameHeaders, serverEveryMs: number): HeartBeats {
  const [, canSend, wants] = /^(\d{1,9}),(\d{1,9})$/.exec(headers.get('heart-beat') ?? '0,0') ?? [];
  if (canSend === undefined || wants === undefined) {
    throw new ProtocolError('BAD_REQUEST', 'heart-beat must be two whole numbers: <can send>,<wants>.');
  }
  const between = (one: number, other: number): number => (one && other ? Math.max(one, other) : 0);
  return {
    sendEveryMs: between(serverEveryMs, Number(wants)),
    receiveWithinMs: between(serverEveryMs, Number(canSend)) * beatsMissedMax,
  };
}

/** The token of an `Authorization: Bearer` header, or null. */
export function bearerToken(authorization: string | undefined): string | null {
  return /^Bearer +(\S+)$/i.exec(authorization?.trim() ?? '')?.[1] ?? null;
}

export function connectToken(frame: Frame): string | null {
  return bearerToken(frame.headers.get('Authorization') ?? frame.headers.get('authorization'));
}
