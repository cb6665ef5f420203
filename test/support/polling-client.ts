// STOMP over the polls of SockJS, each over a connection of its own.
import type { TestServer } from './server.ts';
import { SockjsStompClient } from './sockjs-stomp-client.ts';
import { newSession, poll, type Answer } from './sockjs.ts';
import type { FrameHeaders } from './stomp.ts';

export interface PollingOptions {
  /** `/ws` unless given. */
  readonly base?: string;
  /** What all requests show, such as `?token=…`. */
  readonly query?: string;
}

export class PollingClient extends SockjsStompClient {
  constructor(server: TestServer, { base = '/ws', query = '' }: PollingOptions = {}) {
    super(newSession(`${server.url}${base}`), query);
  }

  /** One request for frames; what it brings is added to the list. */
  async poll(headers: FrameHeaders = {}): Promise<Answer> {
    const answer = await poll(this.session, { headers }, this.query);
    this.take(answer.body.trimEnd());
    return answer;
  }

  protected override turn(): Promise<unknown> {
    return this.poll();
  }
}

/** Opens a session and signs in. */
export async function connectPolling(
  server: TestServer,
  user: string,
  options: PollingOptions & { readonly heartBeat?: string } = {},
): Promise<PollingClient> {
  const client = new PollingClient(server, options);
  await client.poll();
  await client.connect(await server.token(user), options.heartBeat);
  return client;
}
