// From what the load and /proc counted to the figures of one round.
import { Histogram, type PackedHistogram } from './histogram.ts';
import type { LoadFigures } from './plan.ts';

/** Named figures; the unit is the name's end. A figure that could not be taken is left out. */
export type Figures = Readonly<Record<string, number>>;

/** What one target did in one round. */
export interface Outcome {
  readonly figures: Figures;
  /** What makes the figures void: lost messages, refusals, connections that ended. */
  readonly problems: readonly string[];
  /** What makes them doubtful. */
  readonly warnings: readonly string[];
}

/** The server over the measured window. */
export interface ServerUsage {
  readonly cpuSeconds: number;
  /** CPU seconds that anything else took of the server's core, the kernel's threads for its disk writes among them. */
  readonly othersCpuSeconds: number;
  readonly windowSeconds: number;
  readonly residentBytes: number;
}

const loadCpuPercentMax = 90;
const othersCpuPercentMax = 20;

/** Adds up the load processes and divides by what the server used. */
export function makeOutcome(loads: readonly LoadFigures[], usage: ServerUsage): Outcome {
  const sum = (pick: (load: LoadFigures) => number): number =>
    loads.reduce((total, load) => total + pick(load), 0);
  const greatest = (pick: (load: LoadFigures) => number): number => Math.max(...loads.map(pick));
  const seconds = greatest((load) => load.windowSeconds);
  const counts = {
    sent: sum((load) => load.sent),
    receipts: sum((load) => load.receipts),
    deliveries: sum((load) => load.deliveries),
    cycles: sum((load) => load.cycles),
  };
  const cpuUs = usage.cpuSeconds * 1e6;
  const figures = {
    messagesPerSecond: counts.sent / seconds,
    receiptsPerSecond: orNothing(counts.receipts) / seconds,
    deliveriesPerSecond: counts.deliveries / seconds,
    cyclesPerSecond: orNothing(counts.cycles) / seconds,
    cpuPerDeliveryUs: cpuUs / counts.deliveries,
    cpuPerReceiptUs: cpuUs / counts.receipts,
    cpuPerCycleUs: cpuUs / counts.cycles,
    bytesPerDelivery: sum((load) => load.deliveredBytes) / counts.deliveries,
    serverCpuPercent: (usage.cpuSeconds / usage.windowSeconds) * 100,
    othersCpuPercent: (usage.othersCpuSeconds / usage.windowSeconds) * 100,
    serverResidentMiB: usage.residentBytes / 2 ** 20,
    loadCpuPercent: greatest((load) => (load.cpuSeconds / load.windowSeconds) * 100),
    settleSeconds: greatest((load) => load.settleSeconds),
    ...latenciesOf(loads),
    receiptsEver: sum((load) => load.receiptsEver),
    lost: sum((load) => load.lost),
    extra: sum((load) => load.extra),
    receiptsMissing: sum((load) => load.receiptsMissing),
    closed: sum((load) => load.closed),
    ...gathered(
      loads.map(({ sums }) => sums),
      (one, other) => one + other,
    ),
    ...gathered(
      loads.map(({ peaks }) => peaks),
      Math.max,
    ),
  };
  const refusals = [...new Set(loads.flatMap((load) => load.refusals))];
  return {
    figures: Object.fromEntries(Object.entries(figures).filter(([, value]) => Number.isFinite(value))),
    problems: [...problemsOf(figures, refusals), ...loads.flatMap(({ wrong }) => wrong)],
    warnings: warningsOf(figures),
  };
}

function warningsOf(
  figures: Readonly<Record<'loadCpuPercent' | 'othersCpuPercent', number>>,
): readonly string[] {
  const warnings: string[] = [];
  if (figures.loadCpuPercent > loadCpuPercentMax) {
    warnings.push(
      "the load used more than 90 % of its core: rates and latencies are its own, not the server's",
    );
  }
  if (figures.othersCpuPercent > othersCpuPercentMax) {
    warnings.push(
      "others (processes, or the kernel at its own work) took more than 20 % of the server's core",
    );
  }
  return warnings;
}

/** A count of what a scenario does not do is no figure. */
function orNothing(count: number): number {
  return count === 0 ? Number.NaN : count;
}

function problemsOf(
  figures: Readonly<Record<'lost' | 'extra' | 'receiptsMissing' | 'closed', number>>,
  refusals: readonly string[],
): readonly string[] {
  const problems: string[] = [];
  if (figures.lost > 0) {
    problems.push(`LOST ${figures.lost} deliveries`);
  }
  if (figures.extra > 0) {
    problems.push(`${figures.extra} deliveries TOO MANY`);
  }
  if (figures.receiptsMissing > 0) {
    problems.push(`${figures.receiptsMissing} receipts MISSING`);
  }
  if (figures.closed > 0) {
    problems.push(`${figures.closed} connections FAILED`);
  }
  return [...problems, ...refusals.map((refusal) => `server said: ${refusal}`)];
}

function latenciesOf(loads: readonly LoadFigures[]): Record<string, number> {
  const names = new Set(loads.flatMap(({ latencies }) => Object.keys(latencies)));
  const figures = [...names].map((name) => {
    return percentiles(
      name,
      loads.map(({ latencies }) => latencies[name] ?? []),
    );
  });
  return Object.assign({}, ...figures) as Record<string, number>;
}

function gathered(
  parts: readonly Readonly<Record<string, number>>[],
  join: (one: number, other: number) => number,
): Record<string, number> {
  const whole: Record<string, number> = {};
  for (const [name, value] of parts.flatMap((part) => Object.entries(part))) {
    const before = whole[name];
    whole[name] = before === undefined ? value : join(before, value);
  }
  return whole;
}

function percentiles(name: string, parts: readonly PackedHistogram[]): Record<string, number> {
  const histogram = new Histogram();
  parts.forEach((part) => histogram.merge(part));
  return {
    [`${name}P50Ms`]: histogram.percentile(50) / 1_000,
    [`${name}P99Ms`]: histogram.percentile(99) / 1_000,
    [`${name}P999Ms`]: histogram.percentile(99.9) / 1_000,
  };
}
