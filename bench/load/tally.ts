// What one load process counts in one run, most of it only while the window is open.
import { cpuUsage } from 'node:process';
import { nowUs } from '../lib/clock.ts';
import { Histogram } from '../lib/histogram.ts';
import type { LoadFigures } from '../lib/plan.ts';

const refusalsMax = 3;

/** What is known only when a run has settled. */
export type Settlement = Pick<LoadFigures, 'receiptsEver' | 'lost' | 'extra' | 'receiptsMissing'>;

export class Tally {
  readonly deliveryLatency = new Histogram();
  readonly receiptLatency = new Histogram();
  readonly cycleLatency = new Histogram();
  readonly sendLag = new Histogram();
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

  sent(): void {
    this.#sent += this.#open ? 1 : 0;
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
      ...settlement,
      closed: this.closed,
      refusals: this.#refusals,
      settleSeconds: (nowUs() - this.#closedAtUs) / 1e6,
      deliveryLatency: this.deliveryLatency.pack(),
      receiptLatency: this.receiptLatency.pack(),
      cycleLatency: this.cycleLatency.pack(),
      sendLag: this.sendLag.pack(),
    };
  }
}
