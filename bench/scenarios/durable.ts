// How many messages a second are stored: every sender waits for receipts, nobody subscribes, and after the run the
// server is killed and its database counted.
import type { Outcome } from '../lib/figures.ts';
import type { ConnectionPlan } from '../lib/plan.ts';
import type { Stage } from '../lib/stage.ts';
import { chatOptions, sanityColumns, type ChatKey, type Scenario } from './scenario.ts';

/** Kills the server as a crash would, then looks for what it had given receipts for. */
async function withRowsCounted(stage: Stage, outcome: Outcome): Promise<Outcome> {
  await stage.server.kill();
  if (stage.database === null) {
    return outcome;
  }
  const rows = await stage.database.countMessages();
  const receipts = outcome.figures['receiptsEver'] ?? 0;
  const missing = Math.max(0, receipts - rows);
  const problem = `${missing} messages with a receipt are NOT in the database after a crash`;
  return {
    figures: { ...outcome.figures, rowsAfterCrash: rows, rowsMissing: missing },
    problems: missing > 0 ? [...outcome.problems, problem] : outcome.problems,
    warnings: outcome.warnings,
  };
}

export const durable: Scenario<ChatKey | 'connections' | 'window' | 'rooms'> = {
  name: 'durable',
  summary: 'messages stored per second, each answered with a receipt; the peers answer but store nothing',
  options: {
    ...chatOptions(),
    connections: { meaning: 'senders', unit: 'count', default: 50, min: 1, max: 10_000 },
    window: {
      meaning: 'messages of each sender that wait for a receipt',
      unit: 'count',
      default: 20,
      min: 1,
      max: 1_000,
    },
    rooms: { meaning: 'rooms they write to', unit: 'count', default: 10, min: 1, max: 5_000 },
  },
  needsReceipts: true,
  cost: { figure: 'cpuPerReceiptUs', title: 'CPU × uws' },
  columns: [
    { title: 'receipts/s', figures: ['receiptsPerSecond'], digits: 0, spread: true },
    { title: 'CPU/receipt µs', figures: ['cpuPerReceiptUs'], digits: 1, spread: true },
    {
      title: 'receipt p50 / p99 / p99.9 ms',
      figures: ['receiptP50Ms', 'receiptP99Ms', 'receiptP999Ms'],
      digits: 1,
    },
    { title: 'in database after crash', figures: ['rowsAfterCrash'], digits: 0 },
    ...sanityColumns.filter(({ title }) => title !== 'bytes' && title !== 'lost'),
  ],
  measure: async (stage, numbers) => {
    const rooms = await stage.rooms(numbers.rooms);
    const connections = Array.from({ length: numbers.connections }, (_, index): ConnectionPlan => {
      return { user: `user-${index}`, subscribesTo: [], sendsTo: index % numbers.rooms };
    });
    const outcome = await stage.withChat({ kind: 'traffic', rooms, connections, receipts: true }, (load) =>
      stage.run(load, { kind: 'closed', window: numbers.window, until: 'receipt' }, numbers),
    );
    return withRowsCounted(stage, outcome);
  },
};
