// STOMP over a response of SockJS that goes on: read as fast, or as slowly, as a test says.
import type { TestServer } from './server.ts';
import { SockjsStompClient } from './sockjs-stomp-client.ts';
import { ask, newSession } from './sockjs.ts';

type Response = Awaited<ReturnType<typeof ask>>;

interface Streaming {
  readonly method: 'GET' | 'POST';
  readonly query: string;
  /** The frame in a chunk. */
  readonly frameOf: (chunk: string) => string;
}

const textBetween = (text: string, start: string, end: string): string => {
  if (!text.startsWith(start) || !text.endsWith(end)) throw new Error(`no frame: ${JSON.stringify(text)}`);
  return text.slice(start.length, text.length - end.length);
};

const streaming = {
  xhr_streaming: { method: 'POST', query: '', frameOf: (chunk) => textBetween(chunk, '', '\n') },
  eventsource: { method: 'GET', query: '', frameOf: (chunk) => textBetween(chunk, 'data: ', '\r\n\r\n') },
  htmlfile: {
    method: 'GET',
    query: 'c=callback',
    frameOf: (chunk) => JSON.parse(textBetween(chunk, '<script>\np(', ');\n</script>\r\n')) as string,
  },
} as const satisfies Readonly<Record<string, Streaming>>;

export type StreamingName = keyof typeof streaming;
export const streamingNames = Object.keys(streaming) as StreamingName[];

export interface StreamingOptions {
  /** `xhr_streaming` unless given. */
  readonly transport?: StreamingName;
  /** `/ws` unless given. */
  readonly base?: string;
  /** What all requests show, such as `?token=…`. */
  readonly query?: string;
}

export class StreamingClient extends SockjsStompClient {
  readonly #transport: StreamingName;
  #response: Response | null = null;

  constructor(
    server: TestServer,
    { transport = 'xhr_streaming', base = '/ws', query = '' }: StreamingOptions,
  ) {
    super(newSession(`${server.url}${base}`), query);
    this.#transport = transport;
  }

  /** Asks for frames with that query. @returns the response, its prelude read if it has one. */
  async open(query = this.query): Promise<Response> {
    const { method, query: own } = streaming[this.#transport];
    const response = await ask(`${this.session}/${this.#transport}${joined(query, own)}`, method);
    if (response.status === 200) await response.chunk();
    return response;
  }

  /** Cuts off what it receives by. */
  cut(): void {
    this.#response?.close();
    this.#response = null;
  }

  /** Reads nothing until `resume`. */
  pause(): void {
    this.#response?.pause();
  }

  resume(): void {
    this.#response?.resume();
  }

  /** The next frame of SockJS; null when the response has ended. */
  async next(): Promise<string | null> {
    this.#response ??= await this.open();
    const chunk = await this.#response.chunk();
    if (chunk === '') {
      this.cut();
      return null;
    }
    const frame = streaming[this.#transport].frameOf(chunk);
    this.take(frame);
    return frame;
  }

  protected override turn(): Promise<unknown> {
    return this.next();
  }
}

/** Opens a session and signs in. */
export async function connectStreaming(
  server: TestServer,
  user: string,
  options: StreamingOptions = {},
): Promise<StreamingClient> {
  const client = new StreamingClient(server, options);
  await client.next();
  await client.connect(await server.token(user));
  return client;
}

function joined(query: string, own: string): string {
  if (own === '') return query;
  return query === '' ? `?${own}` : `${query}&${own}`;
}
