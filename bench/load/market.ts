// Prices going in by streams of ticks and out to viewers, who note how regularly they come.
import { Agent, get } from 'node:http';
import { nowUs, repeat, sleepUntil, wallSeconds, within } from '../lib/clock.ts';
import type { LoadFigures, MarketPlan, RoomTotal, RunOrder } from '../lib/plan.ts';
import { signToken } from '../lib/token.ts';
import { StompClient, type StompListener } from './stomp-client.ts';
import { Tally } from './tally.ts';
import { makeSweeps, TickStream } from './tick-stream.ts';

const connectingMax = 100;
const probeEveryMs = 20;
/** Messages with less between them belong to one flush. */
const flushPauseUs = 100_000;

interface MarketListener {
  delivered(bytes: number): void;
  flushed(gapUs: number): void;
  refused(reason: string): void;
  closed(reason: string): void;
}

/** One who looks at all prices. */
class Viewer implements StompListener {
  readonly #listener: MarketListener;
  readonly #client: StompClient;
  #flushAtUs = 0;
  #messageAtUs = 0;

  constructor(options: { readonly port: number; readonly token: string }, listener: MarketListener) {
    this.#listener = listener;
    this.#client = new StompClient(options, this);
  }

  async start(): Promise<void> {
    await this.#client.isIn;
    this.#client.hearRefusals();
    await this.#client.subscribe('prices', '/topic/prices');
  }

  message(_bytes: Buffer, start: number, end: number): void {
    const now = nowUs();
    if (now - this.#messageAtUs > flushPauseUs) {
      if (this.#flushAtUs > 0) {
        this.#listener.flushed(now - this.#flushAtUs);
      }
      this.#flushAtUs = now;
    }
    this.#messageAtUs = now;
    this.#listener.delivered(end - start);
  }

  refused(reason: string): void {
    this.#listener.refused(reason);
  }

  closed(reason: string): void {
    this.#listener.closed(reason);
  }
}

export class Market implements MarketListener {
  readonly #plan: MarketPlan;
  readonly #sweeps: ReturnType<typeof makeSweeps>;
  #tally = new Tally();
  #streams: readonly TickStream[] = [];
  #running: Promise<unknown> = Promise.resolve();
  #startUs = 0;

  constructor(plan: MarketPlan) {
    this.#plan = plan;
    this.#sweeps = makeSweeps(plan.symbols);
  }

  async prepare(): Promise<void> {
    const { port, secret, viewers } = this.#plan;
    const waiting = Array.from({ length: viewers }, (_, index) => index).values();
    const lane = async (): Promise<void> => {
      for (const index of waiting) {
        const token = signToken(`viewer-${index}`, secret, wallSeconds());
        await new Viewer({ port, token }, this).start();
      }
    };
    await Promise.all(Array.from({ length: connectingMax }, lane));
  }

  async run(order: RunOrder): Promise<readonly RoomTotal[]> {
    this.#tally = new Tally();
    await sleepUntil(order.startUs);
    this.#startUs = nowUs();
    const { port, secret, streams } = this.#plan;
    const ratePerSecond = order.pace.kind === 'open' ? order.pace.ratePerSecond / streams : 0;
    const token = signToken('feed', secret, wallSeconds(), ['service']);
    const sent = (count: number): void => this.#tally.sent(count);
    this.#streams = Array.from(
      { length: streams },
      () => new TickStream({ port, token, sweeps: this.#sweeps, ratePerSecond, sent }),
    );
    this.#running = Promise.all(this.#streams.map((stream) => stream.run(order.untilUs)));
    const stopProbing = this.#probe();
    await sleepUntil(order.fromUs);
    this.#tally.open();
    await sleepUntil(order.untilUs);
    this.#tally.close();
    stopProbing();
    return [];
  }

  async settle(_totals: readonly RoomTotal[], limitMs: number): Promise<LoadFigures> {
    await within(this.#running, limitMs, "the answers to the service's ticks");
    const written = this.#streams.reduce((sum, stream) => sum + stream.written, 0);
    const applied = this.#streams.reduce((sum, stream) => sum + stream.applied, 0);
    const answeredAtUs = Math.max(...this.#streams.map((stream) => stream.answeredAtUs));
    const wrong = this.#streams.flatMap(({ failure }) => failure ?? []);
    if (applied < written) {
      wrong.push(`${written - applied} ticks were sent and NOT APPLIED`);
    }
    const acceptedPerSecond = applied / ((answeredAtUs - this.#startUs) / 1e6);
    return this.#tally.figures({
      receiptsEver: 0,
      lost: 0,
      extra: 0,
      receiptsMissing: 0,
      sums: { acceptedPerSecond, viewers: this.#plan.viewers },
      wrong,
    });
  }

  delivered(bytes: number): void {
    this.#tally.delivered(bytes);
  }

  flushed(gapUs: number): void {
    this.#tally.other('flushGap', gapUs);
  }

  refused(reason: string): void {
    this.#tally.refused(reason);
  }

  closed(reason: string): void {
    this.#tally.closed += 1;
    this.#tally.refused(reason);
  }

  /** Asks over and over for next to nothing: how long that takes is how long a turn of the event loop does. */
  #probe(): () => void {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    let isWaiting = false;
    let isOver = false;
    const stop = repeat(probeEveryMs, () => {
      if (isWaiting) {
        return;
      }
      isWaiting = true;
      const askedAtUs = nowUs();
      const asked = get({ host: '127.0.0.1', port: this.#plan.port, path: '/healthz', agent }, (response) => {
        response.resume();
        response.on('end', () => {
          this.#tally.other('probe', nowUs() - askedAtUs);
          isWaiting = false;
        });
      });
      // One that is under way when the probing ends is cut off with the agent, by us.
      asked.on('error', (error) => {
        if (!isOver) {
          this.#tally.refused(error.message);
        }
      });
    });
    return () => {
      isOver = true;
      stop();
      agent.destroy();
    };
  }
}
