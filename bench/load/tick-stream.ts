// A service that posts ticks as JSON lines: one kept-alive connection, a body of about a second after the other.
import { Agent, request, type ClientRequest } from 'node:http';
import { nowUs, repeat } from '../lib/clock.ts';
import { makeDeferred } from '../lib/deferred.ts';

/** Prices that a symbol goes through. */
const prices = 16;
const writeEveryMs = 10;
const bodyUs = 1_000_000;
/** Ticks of one write. What is due beyond it waits for the next one. */
const writeTicksMax = 50_000;

/** The lines of all symbols once, and where each begins. */
interface Sweep {
  readonly bytes: Buffer;
  readonly starts: readonly number[];
}

/** Sweeps in which every symbol has another price than in the one before. */
export function makeSweeps(symbols: number): readonly Sweep[] {
  return Array.from({ length: prices }, (_, turn) => {
    const starts: number[] = [0];
    const lines = Array.from({ length: symbols }, (_none, symbol) => {
      const line = `{"symbol":"S${symbol}","price":"${100 + (symbol % 900)}.${10 + turn}"}\n`;
      starts.push((starts.at(-1) ?? 0) + line.length);
      return line;
    });
    return { bytes: Buffer.from(lines.join('')), starts };
  });
}

export interface TickStreamOptions {
  readonly port: number;
  readonly token: string;
  readonly sweeps: readonly Sweep[];
  readonly ratePerSecond: number;
  /** So many ticks left. */
  readonly sent: (count: number) => void;
}

export class TickStream {
  /** Ticks written, and those that the server says it has applied. */
  written = 0;
  applied = 0;
  /** When the last answer came. */
  answeredAtUs = 0;
  /** Why it ended early, if it did. */
  failure: string | undefined;

  readonly #options: TickStreamOptions;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1 });
  readonly #symbols: number;
  readonly #done = makeDeferred();
  #startUs = 0;
  #untilUs = 0;
  #request: ClientRequest | undefined;
  #bodyUntilUs = 0;
  #isFull = false;
  #stop = (): void => undefined;

  constructor(options: TickStreamOptions) {
    this.#options = options;
    this.#symbols = (options.sweeps[0]?.starts.length ?? 1) - 1;
  }

  /** Writes what is due from now until `untilUs`; resolves when the last body is answered. */
  run(untilUs: number): Promise<void> {
    this.#startUs = nowUs();
    this.#untilUs = untilUs;
    this.#begin();
    this.#stop = repeat(writeEveryMs, () => this.#write());
    return this.#done.promise;
  }

  #begin(): void {
    const { port, token } = this.#options;
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/x-ndjson' };
    const options = { host: '127.0.0.1', port, path: '/api/prices/ticks', method: 'POST', headers };
    const post = request({ ...options, agent: this.#agent }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => (text += chunk));
      response.on('end', () => this.#answered(response.statusCode ?? 0, text));
    });
    post.on('error', (error) => this.#end(error.message));
    post.on('drain', () => (this.#isFull = false));
    this.#request = post;
    this.#isFull = false;
    this.#bodyUntilUs = Math.min(nowUs() + bodyUs, this.#untilUs);
  }

  #write(): void {
    const post = this.#request;
    if (post === undefined || this.#isFull) {
      return;
    }
    const now = nowUs();
    const dueUs = Math.min(now, this.#untilUs) - this.#startUs;
    const due = Math.floor((dueUs / 1e6) * this.#options.ratePerSecond) - this.written;
    for (let left = Math.min(due, writeTicksMax); left > 0;) {
      const count = Math.min(left, this.#symbols - (this.written % this.#symbols));
      this.#isFull = !post.write(this.#slice(count));
      this.written += count;
      left -= count;
      this.#options.sent(count);
    }
    if (now >= this.#bodyUntilUs) {
      this.#request = undefined;
      post.end();
    }
  }

  /** The next `count` lines, which end with a sweep at the latest. */
  #slice(count: number): Buffer {
    const from = this.written % this.#symbols;
    const turn = Math.floor(this.written / this.#symbols) % prices;
    const sweep = this.#options.sweeps[turn];
    return sweep?.bytes.subarray(sweep.starts[from], sweep.starts[from + count]) ?? Buffer.alloc(0);
  }

  #answered(status: number, text: string): void {
    this.answeredAtUs = nowUs();
    const { applied } = JSON.parse(text) as { readonly applied?: number };
    this.applied += applied ?? 0;
    if (status !== 200) {
      this.#end(`POST /api/prices/ticks answered ${status} ${text.slice(0, 200)}`);
    } else if (this.answeredAtUs >= this.#untilUs) {
      this.#end(undefined);
    } else {
      this.#begin();
    }
  }

  #end(failure: string | undefined): void {
    this.failure ??= failure;
    this.#stop();
    this.#request?.destroy();
    this.#request = undefined;
    this.#agent.destroy();
    this.#done.resolve();
  }
}
