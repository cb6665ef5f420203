// What one load process counts in one run, most of it only while the window is open.
import { cpuUsage } from 'node:process';
import { nowUs } from '../lib/clock.ts';
import { Histogram } from '../lib/histogram.ts';
import type { LoadFigures } from '../lib/plan.ts';

const refusalsMax = 3;

/** What is known only when a run has settled. */
export type Settlement = Pick<LoadFigures, 'receiptsEver' | 'lost' | 'extra' | 'receiptsMissing'> &
  Partial<Pick<LoadFigures, 'sums' | 'peaks' | 'wrong'>>;

export class Tally {
  readonly deliveryLatency = new Histogram();
  readonly receiptLatency = new Histogram();
  readonly cycleLatency = new Histogram();
  readonly sendLag = new Histogram();
  /** Latencies of one scenario alone, by name. */
  readonly others = new Map<string, Histogram>();
  /** Connections that ended when they should not have. */
  closed = 0;

  #open = false;
  #sent = 0;
  #receipts = 0;
  #deliveries = 0;
  #deliveredBytes = 0;
  #cycles = 0;
  readonly #refusals: string[] = [];
  #openedAtUs = 0;
  #closedAtUs = 0;
  #cpuAtOpen = cpuUsage();
  #cpuSeconds = 0;

  /** The measured window begins. */
  open(): void {
    this.#open = true;
    this.#openedAtUs = nowUs();
    this.#cpuAtOpen = cpuUsage();
  }

  /** The measured window ends. */
  close(): void {
    const { user, system } = cpuUsage(this.#cpuAtOpen);
    this.#cpuSeconds = (user + system) / 1e6;
    this.#closedAtUs = nowUs();
    this.#open = false;
  }

  get isOpen(): boolean {
    return this.#open;
  }

  sent(count = 1): void {
    this.#sent += this.#open ? count : 0;
  }

  received(): void {
    this.#receipts += this.#open ? 1 : 0;
  }

  delivered(bytes: number): void {
    if (this.#open) {
      this.#deliveries += 1;
      this.#deliveredBytes += bytes;
    }
  }

  cycled(subscribedAfterUs: number): void {
    if (this.#open) {
      this.#cycles += 1;
      this.cycleLatency.record(subscribedAfterUs);
    }
  }

  /** One value of a latency that no other scenario has, in microseconds. */
  other(name: string, valueUs: number): void {
    if (this.#open) {
      const histogram = this.others.get(name) ?? new Histogram();
      this.others.set(name, histogram);
      histogram.record(valueUs);
    }
  }

  refused(reason: string): void {
    if (this.#refusals.length < refusalsMax) {
      this.#refusals.push(reason);
    }
  }

  /** All figures, once nothing more is awaited. */
  figures(settlement: Settlement): LoadFigures {
    return {
      windowSeconds: (this.#closedAtUs - this.#openedAtUs) / 1e6,
      cpuSeconds: this.#cpuSeconds,
      sent: this.#sent,
      receipts: this.#receipts,
      deliveries: this.#deliveries,
      deliveredBytes: this.#deliveredBytes,
      cycles: this.#cycles,
      sums: {},
      peaks: {},
      wrong: [],
      ...settlement,
      closed: this.closed,
      refusals: this.#refusals,
      settleSeconds: (nowUs() - this.#closedAtUs) / 1e6,
      latencies: {
        delivery: this.deliveryLatency.pack(),
        receipt: this.receiptLatency.pack(),
        cycle: this.cycleLatency.pack(),
        sendLag: this.sendLag.pack(),
        ...Object.fromEntries([...this.others].map(([name, histogram]) => [name, histogram.pack()])),
      },
    };
  }
}
