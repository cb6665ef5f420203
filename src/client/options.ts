// Everything that can be chosen of a client.
import type { Client } from '@stomp/stompjs';

/** What STOMP runs over: a WebSocket, or anything that looks like one, as SockJS does. */
export type Socket = ReturnType<NonNullable<Client['webSocketFactory']>>;

export interface ClientOptions {
  /** `wss://example.org/ws`; REST is asked for at the same host. */
  readonly url: string;
  /** The token, or what fetches a new one: it is called for every connection and before a token ends. */
  readonly token: string | (() => string | Promise<string>);
  /**
   * Makes the socket, such as `() => new SockJS('https://example.org/ws')`. A WebSocket of the platform unless given; Node
   * before version 22 has none, and needs the `ws` package: `(url) => new WebSocket(url, ['v12.stomp'])`.
   */
  readonly socket?: (url: string) => Socket;
  /** First wait after a loss. 1,000 ms by default; each further one is twice as long, with jitter. */
  readonly backoffMs?: number;
  /** Longest wait between attempts. 60,000 ms by default. */
  readonly backoffMaxMs?: number;
  /** Attempts after a loss until the client gives up; none by default. */
  readonly maxAttempts?: number;
  /** How long an attempt may take. 10,000 ms by default. */
  readonly connectWithinMs?: number;
  /** Heart-beats both ways. 10,000 ms by default. */
  readonly heartBeatMs?: number;
  /** Messages that may wait to be sent or answered; one more rejects with FULL. 1,000 by default. */
  readonly outboxMax?: number;
  /** How long a message may wait before it rejects with EXPIRED. Ten minutes by default, a day at most. */
  readonly sendWithinMs?: number;
  /** Largest frame the server takes (`--frame-limit`). 65,536 bytes by default. */
  readonly frameBytesMax?: number;
}

export type Settings = Required<ClientOptions>;

const noSocket =
  "There is no WebSocket here: pass `socket: (url) => new WebSocket(url, ['v12.stomp'])` with that of the package ws.";

/** @throws RangeError where the platform has none. */
function platformSocket(): (url: string) => Socket {
  const { WebSocket } = globalThis as { WebSocket?: new (url: string, protocols: string[]) => Socket };
  if (!WebSocket) throw new RangeError(noSocket);
  return (url) => new WebSocket(url.replace(/^http/, 'ws'), ['v12.stomp']);
}

/** So long the server knows the keys by which it tells a repeat. */
const keysKeptMs = 24 * 60 * 60 * 1_000;

/** @throws RangeError for what can't work. */
export function settingsOf(options: ClientOptions): Settings {
  const settings: Settings = {
    backoffMs: 1_000,
    backoffMaxMs: 60_000,
    maxAttempts: Number.POSITIVE_INFINITY,
    connectWithinMs: 10_000,
    heartBeatMs: 10_000,
    outboxMax: 1_000,
    sendWithinMs: 600_000,
    frameBytesMax: 65_536,
    ...options,
    socket: options.socket ?? platformSocket(),
  };
  const { url, sendWithinMs } = settings;
  if (!/^(?:ws|http)s?:$/.test(new URL(url).protocol))
    throw new RangeError(`${url} is no URL of a WebSocket`);
  if (sendWithinMs > keysKeptMs) throw new RangeError('sendWithinMs is a day at most');
  return settings;
}
