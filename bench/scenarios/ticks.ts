// Prices: what goes out must not depend on how fast they come in. One server is measured at two rates.
import type { Outcome } from '../lib/figures.ts';
import type { LoadGroup } from '../lib/load-group.ts';
import { openFilesMax } from '../lib/machine.ts';
import type { Stage, Timing } from '../lib/stage.ts';
import { commonOptions, type CommonKey, type Scenario } from './scenario.ts';

/** The greatest difference between the bytes out at the two rates, in per cent. */
const differenceMax = 10;
/** Of the rate asked for, what must be accepted, in per cent. */
const acceptedMin = 98;
/** Files the server and its runtime need beside the connections. */
const otherFiles = 200;
const metricsMsMax = 5_000;

const figure = ({ figures }: Outcome, name: string): number => figures[name] ?? Number.NaN;

function derived(outcome: Outcome): { bytesPerSecond: number; messagesPerViewerPerSecond: number } {
  const deliveries = figure(outcome, 'deliveriesPerSecond');
  return {
    bytesPerSecond: deliveries * figure(outcome, 'bytesPerDelivery'),
    messagesPerViewerPerSecond: deliveries / figure(outcome, 'viewers'),
  };
}

/** How late the event loop of the worst thread comes round, as the server itself says. */
async function loopDelayP99Ms({ server }: Stage): Promise<number> {
  const response = await fetch(`http://127.0.0.1:${server.port}/metrics`, {
    signal: AbortSignal.timeout(metricsMsMax),
  });
  const lines = (await response.text()).matchAll(/^stagewire_event_loop_delay_p99_seconds\{.*\} (\S+)$/gm);
  return Math.max(...[...lines].map(([, seconds]) => Number(seconds) * 1_000));
}

async function runAt(stage: Stage, load: LoadGroup, rate: number, timing: Timing): Promise<Outcome> {
  const outcome = await stage.run(load, { kind: 'open', ratePerSecond: rate }, timing);
  const figures = { ...outcome.figures, ...derived(outcome), loopDelayP99Ms: await loopDelayP99Ms(stage) };
  return { ...outcome, figures, warnings: [...outcome.warnings, ...shortOf(outcome, rate)] };
}

function shortOf(outcome: Outcome, rate: number): readonly string[] {
  const accepted = figure(outcome, 'acceptedPerSecond');
  return accepted < (rate * acceptedMin) / 100
    ? [`at ${rate} ticks/s in, only ${Math.round(accepted)} were accepted a second`]
    : [];
}

/** Both outcomes as one: the figures at the lower rate have names that begin with `slow`. */
function together(fast: Outcome, slow: Outcome, rates: { fast: number; slow: number }): Outcome {
  const outputRatio = figure(fast, 'bytesPerSecond') / figure(slow, 'bytesPerSecond');
  const renamed = Object.entries(slow.figures).map(([name, value]) => {
    return [`slow${name.charAt(0).toUpperCase()}${name.slice(1)}`, value] as const;
  });
  const depends = `the output is ${outputRatio.toFixed(2)} times as much at ${rates.fast} ticks/s as at ${rates.slow}`;
  const isIndependent = Math.abs(outputRatio - 1) <= differenceMax / 100;
  return {
    figures: { ...fast.figures, ...Object.fromEntries(renamed), outputRatio },
    problems: [...fast.problems, ...slow.problems],
    warnings: [...new Set([...fast.warnings, ...slow.warnings]), ...(isIndependent ? [] : [depends])],
  };
}

export const ticks: Scenario<CommonKey | 'rate' | 'ratio' | 'symbols' | 'viewers' | 'streams'> = {
  name: 'ticks',
  summary: 'prices in at two rates, and out to viewers once per interval',
  options: {
    ...commonOptions({ rounds: 1, seconds: 10, warmup: 3 }),
    rate: { meaning: 'ticks in, the higher rate', unit: '1/s', default: 100_000, min: 10, max: 1_000_000 },
    ratio: {
      meaning: 'how many times less the lower rate is; 1 leaves it out',
      unit: 'times',
      default: 10,
      min: 1,
      max: 1_000,
    },
    symbols: { meaning: 'symbols, ticked in turn', unit: 'count', default: 1_000, min: 1, max: 10_000 },
    viewers: { meaning: 'subscribers of all prices', unit: 'count', default: 1_000, min: 1, max: 20_000 },
    streams: { meaning: 'connections of the service', unit: 'count', default: 4, min: 1, max: 100 },
  },
  work: 'ticks',
  columns: [
    { title: 'ticks/s accepted', figures: ['acceptedPerSecond', 'slowAcceptedPerSecond'], digits: 0 },
    { title: 'bytes/s out', figures: ['bytesPerSecond', 'slowBytesPerSecond'], digits: 0 },
    { title: 'output ratio', figures: ['outputRatio'], digits: 2, spread: true },
    {
      title: 'messages/s per viewer',
      figures: ['messagesPerViewerPerSecond', 'slowMessagesPerViewerPerSecond'],
      digits: 2,
    },
    { title: 'flush to flush p50 ms', figures: ['flushGapP50Ms', 'slowFlushGapP50Ms'], digits: 0 },
    { title: 'p99 ms', figures: ['flushGapP99Ms', 'slowFlushGapP99Ms'], digits: 0 },
    { title: 'probe p50 ms', figures: ['probeP50Ms', 'slowProbeP50Ms'], digits: 1 },
    { title: 'p99 ms', figures: ['probeP99Ms', 'slowProbeP99Ms'], digits: 1 },
    { title: 'loop delay p99 ms', figures: ['loopDelayP99Ms', 'slowLoopDelayP99Ms'], digits: 1 },
    { title: 'server CPU %', figures: ['serverCpuPercent', 'slowServerCpuPercent'], digits: 0 },
    { title: 'others on its core %', figures: ['othersCpuPercent', 'slowOthersCpuPercent'], digits: 0 },
    { title: 'load CPU %', figures: ['loadCpuPercent', 'slowLoadCpuPercent'], digits: 0 },
    { title: 'server RSS MiB', figures: ['serverResidentMiB'], digits: 0 },
  ],
  measure: async (stage, numbers) => {
    const { rate, ratio, symbols, streams } = numbers;
    const viewers = Math.min(numbers.viewers, openFilesMax() - otherFiles);
    const plan = { kind: 'market', symbols, viewers, streams } as const;
    return stage.withLoad(plan, async (load) => {
      const fast = await runAt(stage, load, rate, numbers);
      if (ratio === 1) {
        return fast;
      }
      const slow = await runAt(stage, load, rate / ratio, numbers);
      return together(fast, slow, { fast: rate, slow: rate / ratio });
    });
  },
};
