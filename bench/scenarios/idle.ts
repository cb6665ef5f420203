// What a connection costs while nothing happens: the server's resident memory before and after many of them.
import type { Outcome } from '../lib/figures.ts';
import { sleep } from '../lib/clock.ts';
import { openFilesMax } from '../lib/machine.ts';
import type { ConnectionPlan } from '../lib/plan.ts';
import type { Stage } from '../lib/stage.ts';
import { spreadOf } from '../lib/statistics.ts';
import { chatOptions, type ChatKey, type Scenario } from './scenario.ts';

const roomCount = 100;
/** Connections that come and go first, so that code and pools that all share are not charged to the ones counted. */
const warmupConnections = 200;
const readings = 5;
/** What a server may have open beside the connections. */
const otherFiles = 200;

function connectionsOf(count: number): readonly ConnectionPlan[] {
  return Array.from({ length: count }, (_, index): ConnectionPlan => {
    return { user: `user-${index}`, subscribesTo: [index % roomCount, (index + 1) % roomCount] };
  });
}

/** The median of several readings, `pauseMs` apart. */
async function residentBytes(stage: Stage, pauseMs: number): Promise<number> {
  const values: number[] = [];
  for (let reading = 0; reading < readings; reading++) {
    await sleep(pauseMs);
    values.push(stage.server.residentBytes());
  }
  return spreadOf(values)?.median ?? Number.NaN;
}

async function measure(stage: Stage, wanted: number, pauseMs: number): Promise<Outcome> {
  const count = Math.min(wanted, openFilesMax() - otherFiles);
  const rooms = await stage.rooms(roomCount);
  const plan = { kind: 'traffic', rooms, receipts: false } as const;
  await stage.withChat({ ...plan, connections: connectionsOf(warmupConnections) }, () => sleep(pauseMs));
  const before = await residentBytes(stage, pauseMs);
  return stage.withChat({ ...plan, connections: connectionsOf(count) }, async () => {
    const during = await residentBytes(stage, pauseMs);
    const cpuBefore = stage.server.cpuSeconds();
    await sleep(pauseMs);
    const cpuSeconds = stage.server.cpuSeconds() - cpuBefore;
    return {
      figures: {
        connections: count,
        residentBeforeMiB: before / 2 ** 20,
        serverResidentMiB: during / 2 ** 20,
        perConnectionKiB: (during - before) / 1024 / count,
        serverCpuPercent: (cpuSeconds / pauseMs) * 100_000,
      },
      problems: [],
      warnings: count < wanted ? [`only ${count} connections: raise "ulimit -n" for more`] : [],
    };
  });
}

export const idle: Scenario<ChatKey | 'connections'> = {
  name: 'idle',
  summary: 'resident memory per signed-in connection with two subscriptions',
  options: {
    ...chatOptions({ rounds: 1, seconds: 5, warmup: 0 }),
    connections: { meaning: 'connections', unit: 'count', default: 5_000, min: 100, max: 25_000 },
  },
  cost: { figure: 'perConnectionKiB', title: 'memory × uws' },
  columns: [
    { title: 'connections', figures: ['connections'], digits: 0 },
    { title: 'KiB/connection', figures: ['perConnectionKiB'], digits: 1, spread: true },
    { title: 'RSS before / with them MiB', figures: ['residentBeforeMiB', 'serverResidentMiB'], digits: 0 },
    { title: 'CPU % when idle', figures: ['serverCpuPercent'], digits: 1 },
  ],
  measure: (stage, numbers) => measure(stage, numbers.connections, (numbers.seconds * 1_000) / readings),
};
