// STOMP over the polls of SockJS, request by request as a test says, each over a connection of its own.
import type { TestServer } from './server.ts';
import { newSession, poll, xhrSend, type Answer } from './sockjs.ts';
import { encode, type FrameHeaders } from './stomp.ts';

export interface PolledFrame {
  readonly command: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface PollingOptions {
  /** `/ws` unless given. */
  readonly base?: string;
  /** What all requests show, such as `?token=…`. */
  readonly query?: string;
}

/** No wait of a test is longer than so many polls. */
const pollsMax = 1_000;

export class PollingClient {
  readonly session: string;
  readonly query: string;
  /** Every frame that came, in order. */
  readonly frames: PolledFrame[] = [];
  /** The frame that closed the session. */
  closed: string | null = null;
  #receipts = 0;

  constructor(server: TestServer, { base = '/ws', query = '' }: PollingOptions = {}) {
    this.session = newSession(`${server.url}${base}`);
    this.query = query;
  }

  /** One request for frames; what it brings is added to the list. */
  async poll(headers: FrameHeaders = {}): Promise<Answer> {
    const answer = await poll(this.session, { headers }, this.query);
    if (answer.body.startsWith('a'))
      this.frames.push(...(JSON.parse(answer.body.slice(1)) as string[]).flatMap(decode));
    else if (answer.body.startsWith('c')) this.closed = answer.body.trimEnd();
    return answer;
  }

  async sendFrame(command: string, headers: FrameHeaders = {}, body = ''): Promise<Answer> {
    return xhrSend(this.session, [encode('1.2', command, headers, body).toString()], {}, this.query);
  }

  /** Sends a frame and waits for its RECEIPT. */
  async request(command: string, headers: FrameHeaders = {}, body = ''): Promise<void> {
    this.#receipts += 1;
    const receipt = `r${this.#receipts}`;
    await this.sendFrame(command, { ...headers, receipt }, body);
    await this.until((frame) => frame.headers['receipt-id'] === receipt, `RECEIPT of ${command}`);
  }

  /** Polls until such a frame is there. */
  async until(matches: (frame: PolledFrame) => boolean, what: string): Promise<PolledFrame> {
    for (let polls = 0; polls < pollsMax; polls += 1) {
      const found = this.frames.find(matches);
      if (found) return found;
      if (this.closed !== null) break;
      await this.poll();
    }
    throw new Error(`${what}: ${this.closed ?? 'polled in vain'}\n${JSON.stringify(this.frames.slice(-5))}`);
  }

  messages(subscription: string): PolledFrame[] {
    return this.frames.filter(({ headers }) => headers['subscription'] === subscription);
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
  const Authorization = `Bearer ${await server.token(user)}`;
  const heartBeat = options.heartBeat ?? '0,0';
  await client.sendFrame('CONNECT', { 'accept-version': '1.2', 'heart-beat': heartBeat, Authorization });
  await client.until(({ command }) => command === 'CONNECTED', 'CONNECTED');
  return client;
}

function decode(message: string): PolledFrame[] {
  if (message === '\n') return [{ command: 'beat', headers: {}, body: '' }];
  const headEnd = message.indexOf('\n\n');
  const [command = '', ...lines] = message.slice(0, headEnd).split('\n');
  const headers = Object.fromEntries(
    lines.map((line): [string, string] => {
      const colon = line.indexOf(':');
      return [line.slice(0, colon), line.slice(colon + 1)];
    }),
  );
  return [{ command, headers, body: message.slice(headEnd + 2, -1) }];
}
