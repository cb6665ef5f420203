// What a scenario is: its options, what it does with one target in one round, and what the table shows of it.
import type { Outcome } from '../lib/figures.ts';
import type { NumberOption, NumberOptions } from '../lib/options.ts';
import type { Stage } from '../lib/stage.ts';

/** What a scenario asks of a target. */
export type Work = 'chat' | 'documents' | 'ticks' | 'presence';

/** One column of the table: figures of one kind, beside each other. */
export interface Column {
  readonly title: string;
  readonly figures: readonly string[];
  readonly digits: number;
  /** Shows the least and the greatest round too. */
  readonly spread?: boolean;
}

export interface Scenario<Key extends string = string> {
  readonly name: string;
  readonly summary: string;
  readonly options: NumberOptions<Key>;
  /** Leaves out targets that can't give receipts. */
  readonly needsReceipts?: boolean;
  /** What a target must do to take part; `chat` unless said. */
  readonly work?: Work;
  /** The figure that is set in relation to that of `target` (`uws` unless said); none where there is no meaning in it. */
  readonly cost?: { readonly figure: string; readonly title: string; readonly target?: string };
  readonly columns: readonly Column[];
  measure(stage: Stage, numbers: Readonly<Record<Key, number>>): Promise<Outcome>;
}

/** Text of a chat message unless said. */
export const contentBytes = 64;

interface CommonDefaults {
  readonly rounds?: number;
  readonly seconds?: number;
  readonly warmup?: number;
}

/** The options every scenario has; their defaults may differ. */
export function commonOptions(defaults: CommonDefaults = {}): NumberOptions<CommonKey> {
  const option = (
    meaning: string,
    unit: string,
    bounds: Omit<NumberOption, 'meaning' | 'unit'>,
  ): NumberOption => ({
    meaning,
    unit,
    ...bounds,
  });
  return {
    rounds: option('fresh servers per target, targets taking turns', 'count', {
      default: defaults.rounds ?? 3,
      min: 1,
      max: 20,
    }),
    seconds: option('measured window', 's', { default: defaults.seconds ?? 6, min: 0.5, max: 300 }),
    warmup: option('load before the window', 's', { default: defaults.warmup ?? 3, min: 0, max: 60 }),
  };
}

/** Those of the scenarios with rooms. */
export function chatOptions(defaults: CommonDefaults = {}): NumberOptions<ChatKey> {
  const meaning = 'text of a chat message';
  return {
    ...commonOptions(defaults),
    'content-bytes': { meaning, unit: 'bytes', default: contentBytes, min: 16, max: 8_192 },
  };
}

export type CommonKey = 'rounds' | 'seconds' | 'warmup';
export type ChatKey = CommonKey | 'content-bytes';

/** Columns that most tables end with. */
export const sanityColumns: readonly Column[] = [
  { title: 'server CPU %', figures: ['serverCpuPercent'], digits: 0 },
  { title: 'server RSS MiB', figures: ['serverResidentMiB'], digits: 0 },
  { title: 'others on its core %', figures: ['othersCpuPercent'], digits: 0 },
  { title: 'load CPU %', figures: ['loadCpuPercent'], digits: 0 },
  { title: 'bytes', figures: ['bytesPerDelivery'], digits: 0 },
  { title: 'lost', figures: ['lost'], digits: 0 },
];

export const deliveryColumns: readonly Column[] = [
  { title: 'deliveries/s', figures: ['deliveriesPerSecond'], digits: 0 },
  { title: 'CPU/delivery µs', figures: ['cpuPerDeliveryUs'], digits: 2, spread: true },
];

export const latencyColumns: readonly Column[] = [
  {
    title: 'delivery p50 / p99 / p99.9 ms',
    figures: ['deliveryP50Ms', 'deliveryP99Ms', 'deliveryP999Ms'],
    digits: 1,
  },
  {
    title: 'receipt p50 / p99 / p99.9 ms',
    figures: ['receiptP50Ms', 'receiptP99Ms', 'receiptP999Ms'],
    digits: 1,
  },
];
