// The REST interface of the same server.
import { refusalOf, StagewireError } from './error.ts';

/** A connection that says nothing is not waited for longer. */
const answerWithinMs = 30_000;

export class Rest {
  readonly #base: string;
  readonly #token: () => Promise<string>;

  /** @param url of the socket: REST is at the same host. */
  constructor(url: string, token: () => Promise<string>) {
    this.#base = new URL('/', url.replace(/^ws/, 'http')).href.slice(0, -1);
    this.#token = token;
  }

  /**
   * The decoded answer.
   *
   * @param path begins with `/api/`.
   * @throws StagewireError with the server's refusal, or UNAVAILABLE when there was no answer.
   */
  async request<Answer>(method: string, path: string, body?: unknown): Promise<Answer> {
    const headers: Record<string, string> = { authorization: `Bearer ${await this.#token()}` };
    if (body !== undefined) headers['content-type'] = 'application/json';
    const content = body === undefined ? {} : { body: JSON.stringify(body) };
    const unanswered = (thrown: unknown): never => {
      throw new StagewireError('UNAVAILABLE', `There was no answer: ${String(thrown)}`);
    };
    const signal = AbortSignal.timeout(answerWithinMs);
    const asked = fetch(`${this.#base}${path}`, { method, headers, signal, ...content });
    const response = await asked.catch(unanswered);
    const text = await response.text().catch(unanswered);
    if (response.ok) return (text === '' ? null : JSON.parse(text)) as Answer;
    if (response.headers.get('content-type')?.startsWith('application/json'))
      throw refusalOf(JSON.parse(text));
    throw new StagewireError('UNAVAILABLE', `The server answered ${response.status}.`);
  }

  get<Answer>(path: string): Promise<Answer> {
    return this.request('GET', path);
  }
}

/** A path of encoded parts: `pathOf('api', 'rooms', roomId)`. */
export function pathOf(...parts: readonly string[]): string {
  return parts.map((part) => `/${encodeURIComponent(part)}`).join('');
}
