// Documents that many edit at once: what an acknowledged operation costs, and how long it takes.
import type { Outcome } from '../lib/figures.ts';
import type { Pace } from '../lib/plan.ts';
import { commonOptions, sanityColumns, type CommonKey, type Scenario } from './scenario.ts';

const acknowledgementGoalMs = 50;

function goalMissed({ figures }: Outcome): readonly string[] {
  const p99Ms = figures['receiptP99Ms'] ?? Number.NaN;
  return p99Ms > acknowledgementGoalMs
    ? [`acknowledgement p99 is ${p99Ms.toFixed(1)} ms, above the goal of ${acknowledgementGoalMs} ms`]
    : [];
}

export const documents: Scenario<CommonKey | 'documents' | 'editors' | 'rate' | 'units'> = {
  name: 'documents',
  summary: 'documents edited by many at once, each editor with one operation under way',
  options: {
    ...commonOptions(),
    documents: { meaning: 'documents', unit: 'count', default: 1, min: 1, max: 1_000 },
    editors: { meaning: 'editors of each document', unit: 'count', default: 100, min: 1, max: 1_000 },
    rate: {
      meaning: 'operations of all editors together; 0: the next one when the last one is acknowledged',
      unit: '1/s',
      default: 0,
      min: 0,
      max: 100_000,
    },
    units: {
      meaning: 'UTF-16 units of a document, about',
      unit: 'count',
      default: 10_000,
      min: 100,
      max: 50_000,
    },
  },
  work: 'documents',
  cost: { figure: 'receiptsPerSecond', title: 'operations × sharedb', target: 'sharedb' },
  columns: [
    { title: 'operations/s', figures: ['receiptsPerSecond'], digits: 0, spread: true },
    { title: 'CPU/operation µs', figures: ['cpuPerReceiptUs'], digits: 0, spread: true },
    {
      title: 'acknowledged p50 / p99 / p99.9 ms',
      figures: ['receiptP50Ms', 'receiptP99Ms', 'receiptP999Ms'],
      digits: 1,
      spread: true,
    },
    { title: 'deliveries/s', figures: ['deliveriesPerSecond'], digits: 0 },
    { title: 'differing texts', figures: ['differing'], digits: 0 },
    ...sanityColumns,
  ],
  measure: async (stage, numbers) => {
    const { editingProtocol: protocol } = stage.target;
    if (protocol === undefined) {
      throw new Error(`${stage.target.name} has no documents`);
    }
    const { documents: count, editors, units, rate } = numbers;
    const names = Array.from({ length: count }, (_, index) => `document-${index}`);
    const pace: Pace =
      rate > 0 ? { kind: 'open', ratePerSecond: rate } : { kind: 'closed', window: 1, until: 'receipt' };
    const plan = { kind: 'editing', protocol, documents: names, editors, units } as const;
    const outcome = await stage.withLoad(plan, (load) => stage.run(load, pace, numbers));
    const warnings = rate > 0 ? [...outcome.warnings, ...goalMissed(outcome)] : outcome.warnings;
    return { ...outcome, warnings };
  },
};
