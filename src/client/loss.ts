// Why there is no connection, in words for whoever looks at the page.

/**
 * - `token`: the `token` callback threw, or the server does not take what it gave and it is asked once more.
 * - `socket`: the socket can't be made: the `socket` callback threw, or the browser does not allow it.
 * - `unreachable`: nobody answers there, or what answers is no such server: it is down, the host or the path is wrong, or
 *   the page's origin is refused. A browser does not tell these apart; in Node the message does.
 * - `timeout`: the attempt took longer than `connectWithinMs`.
 * - `refused`: the server said no, in its own words.
 * - `silent`: heart-beats stopped: the network, or the server, is gone.
 * - `lost`: the connection broke.
 * - `closed`: the server closed it, as when it restarts.
 */
export type LossReason =
  'token' | 'socket' | 'unreachable' | 'timeout' | 'refused' | 'silent' | 'lost' | 'closed';

export interface Loss {
  readonly reason: LossReason;
  /** A sentence, in English. */
  readonly message: string;
}

const meanings: Readonly<Record<number, string>> = {
  1000: 'The server closed the connection.',
  1001: 'The server goes away.',
  1002: 'The server could not read what was sent.',
  1008: 'The server does not allow the connection any longer.',
  1009: 'What was sent is too large for the server.',
  1011: 'The server has failed.',
  1012: 'The server restarts.',
  1013: 'The server can not serve more at present.',
  4008: 'The connection was too slow for what was subscribed to.',
  4500: 'The server heard nothing in time.',
};
/** What a socket says that was not closed in good order. */
const isBreak = (code: number | undefined): boolean => code === undefined || code === 1005 || code === 1006;

/** @param wasUp whether it was a connection already. @param error what the socket said before, '' in browsers. */
export function lossOfClose(
  event: { readonly code?: number; readonly reason?: string } | undefined,
  wasUp: boolean,
  error: string,
): Loss {
  const { code, reason: said = '' } = event ?? {};
  if (code === undefined || isBreak(code)) {
    const message = wasUp ? 'The connection was lost' : 'The server can not be reached';
    return {
      reason: wasUp ? 'lost' : 'unreachable',
      message: error === '' ? `${message}.` : `${message}: ${error}`,
    };
  }
  const meaning = meanings[code] ?? 'The server closed the connection.';
  return { reason: 'closed', message: `${meaning} (${code}${said === '' ? '' : `: ${said}`})` };
}

/** What a callback threw. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}
