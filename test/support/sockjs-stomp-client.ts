// STOMP over a transport of SockJS, request by request as a test says: what all of them have in common.
import { xhrSend, type Answer } from './sockjs.ts';
import { encode, type FrameHeaders } from './stomp.ts';

export interface ReceivedFrame {
  readonly command: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** No wait of a test is longer than so many turns. */
const turnsMax = 2_000;

export abstract class SockjsStompClient {
  /** The URL of the session. */
  readonly session: string;
  /** What all requests show, such as `?token=…`. */
  readonly query: string;
  /** Every frame that came, in order. */
  readonly frames: ReceivedFrame[] = [];
  /** The frame of SockJS that closed the session. */
  closed: string | null = null;
  #receipts = 0;

  constructor(session: string, query: string) {
    this.session = session;
    this.query = query;
  }

  /** Lets the next frame of SockJS come. */
  protected abstract turn(): Promise<unknown>;

  /** @param frame one of SockJS, without what the transport puts around it. */
  protected take(frame: string): void {
    if (frame.startsWith('a')) this.frames.push(...(JSON.parse(frame.slice(1)) as string[]).map(decode));
    else if (frame.startsWith('c')) this.closed = frame;
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

  /** Signs in; without a token of its own with that of the query. @returns the user, as the server has it. */
  async connect(token: string | null, heartBeat = '0,0'): Promise<string | undefined> {
    const Authorization = token === null ? {} : { Authorization: `Bearer ${token}` };
    await this.sendFrame('CONNECT', { 'accept-version': '1.2', 'heart-beat': heartBeat, ...Authorization });
    const { headers } = await this.until(({ command }) => command === 'CONNECTED', 'CONNECTED');
    return headers['user-name'];
  }

  /** Waits for such a frame, or finds one that came before. */
  async until(matches: (frame: ReceivedFrame) => boolean, what: string): Promise<ReceivedFrame> {
    for (let turns = 0; turns < turnsMax; turns += 1) {
      const found = this.frames.find(matches);
      if (found) return found;
      if (this.closed !== null) break;
      await this.turn();
    }
    throw new Error(`${what}: ${this.closed ?? 'waited in vain'}\n${JSON.stringify(this.frames.slice(-5))}`);
  }

  /** Waits for the end. @returns the frame that closed the session. */
  async end(): Promise<string> {
    for (let turns = 0; turns < turnsMax && this.closed === null; turns += 1) await this.turn();
    if (this.closed === null) throw new Error('the session was not closed');
    return this.closed;
  }

  messages(subscription: string): ReceivedFrame[] {
    return this.frames.filter(({ headers }) => headers['subscription'] === subscription);
  }
}

function decode(message: string): ReceivedFrame {
  if (message === '\n') return { command: 'beat', headers: {}, body: '' };
  const headEnd = message.indexOf('\n\n');
  const [command = '', ...lines] = message.slice(0, headEnd).split('\n');
  const headers = Object.fromEntries(
    lines.map((line): [string, string] => {
      const colon = line.indexOf(':');
      return [line.slice(0, colon), line.slice(colon + 1)];
    }),
  );
  return { command, headers, body: message.slice(headEnd + 2, -1) };
}
