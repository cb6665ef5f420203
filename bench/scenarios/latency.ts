// How long a receipt takes at half the load the server can bear: first the highest rate it sustains, then half of it.
import type { Outcome } from '../lib/figures.ts';
import type { Stage, Timing } from '../lib/stage.ts';
import { membersOf } from './rooms.ts';
import { chatOptions, sanityColumns, type ChatKey, type Scenario } from './scenario.ts';

const doublingsMax = 7;
const receiptP99MsGoal = 20;
const deliveryP99MsMax = 1_000;
const settleSecondsMax = 1;
/** Part of the due deliveries that must come inside the window; less means that a backlog grows. */
const arrivedPartMin = 0.97;

interface Ground {
  readonly rooms: readonly string[];
  readonly members: number;
}

/** One run at one rate, with connections of its own: what an overload left behind must not count in the next. */
function attempt(stage: Stage, ground: Ground, rate: number, timing: Timing): Promise<Outcome> {
  const connections = membersOf(ground.rooms.length, ground.members);
  return stage.withChat({ kind: 'traffic', rooms: ground.rooms, connections, receipts: true }, (load) =>
    stage.run(load, { kind: 'open', ratePerSecond: rate }, timing),
  );
}

function isSustained({ figures, problems }: Outcome, members: number): boolean {
  const {
    messagesPerSecond = 0,
    deliveriesPerSecond = 0,
    deliveryP99Ms = Infinity,
    settleSeconds = Infinity,
  } = figures;
  return (
    problems.length === 0 &&
    deliveryP99Ms < deliveryP99MsMax &&
    settleSeconds < settleSecondsMax &&
    deliveriesPerSecond >= messagesPerSecond * (members - 1) * arrivedPartMin
  );
}

/** The highest rate found sustained, in messages a second; zero when even the first is too much. */
async function searchRate(
  first: number,
  stepsMax: number,
  sustains: (rate: number) => Promise<boolean>,
): Promise<number> {
  let good = 0;
  let bad = Infinity;
  for (let rate = first; bad === Infinity && rate <= first * 2 ** doublingsMax; rate *= 2) {
    if (await sustains(rate)) {
      good = rate;
    } else {
      bad = rate;
    }
  }
  for (let step = 0; step < stepsMax && bad < Infinity && good > 0; step++) {
    const middle = Math.round((good + bad) / 2);
    if (await sustains(middle)) {
      good = middle;
    } else {
      bad = middle;
    }
  }
  return good;
}

function goalMissed({ figures: { receiptP99Ms = Number.NaN } }: Outcome): readonly string[] {
  return receiptP99Ms <= receiptP99MsGoal
    ? []
    : [`receipt p99 of ${receiptP99Ms.toFixed(1)} ms misses the goal of ${receiptP99MsGoal} ms`];
}

export const latency: Scenario<ChatKey | 'rooms' | 'members' | 'start' | 'steps' | 'search-seconds'> = {
  name: 'latency',
  summary:
    'the highest rate of `rooms` that is sustained, then receipt latency at half of it (goal: p99 <= 20 ms)',
  options: {
    ...chatOptions({ rounds: 1, seconds: 10, warmup: 2 }),
    rooms: { meaning: 'rooms', unit: 'count', default: 100, min: 1, max: 5_000 },
    members: { meaning: 'members of each room', unit: 'count', default: 10, min: 2, max: 5_000 },
    start: { meaning: 'rate the search starts at', unit: '1/s', default: 1_000, min: 10, max: 50_000 },
    steps: {
      meaning: 'halvings of the search after the first rate that is too much',
      unit: 'count',
      default: 4,
      min: 0,
      max: 10,
    },
    'search-seconds': {
      meaning: 'measured window of each step of the search',
      unit: 's',
      default: 4,
      min: 1,
      max: 60,
    },
  },
  needsReceipts: true,
  columns: [
    { title: 'sustained messages/s', figures: ['sustainedPerSecond'], digits: 0, spread: true },
    { title: 'measured at messages/s', figures: ['messagesPerSecond'], digits: 0 },
    {
      title: 'receipt p50 / p99 / p99.9 ms',
      figures: ['receiptP50Ms', 'receiptP99Ms', 'receiptP999Ms'],
      digits: 1,
      spread: true,
    },
    {
      title: 'delivery p50 / p99 / p99.9 ms',
      figures: ['deliveryP50Ms', 'deliveryP99Ms', 'deliveryP999Ms'],
      digits: 1,
    },
    ...sanityColumns,
  ],
  measure: async (stage, numbers) => {
    const ground = { rooms: await stage.rooms(numbers.rooms), members: numbers.members };
    const searchTiming = { warmup: 1, seconds: numbers['search-seconds'] };
    const warnings = new Set<string>();
    const sustained = await searchRate(numbers.start, numbers.steps, async (rate) => {
      const outcome = await attempt(stage, ground, rate, searchTiming);
      const good = isSustained(outcome, numbers.members);
      if (!good && outcome.warnings.length > 0) {
        warnings.add(
          `${rate} messages/s failed with a warning, so the server may bear more: ${outcome.warnings.join('; ')}`,
        );
      }
      return good;
    });
    if (sustained === 0) {
      throw new Error(`does not sustain even ${numbers.start} messages/s`);
    }
    const outcome = await attempt(stage, ground, sustained / 2, numbers);
    return {
      figures: { ...outcome.figures, sustainedPerSecond: sustained },
      problems: outcome.problems,
      warnings: [...warnings, ...outcome.warnings, ...goalMissed(outcome)],
    };
  },
};
