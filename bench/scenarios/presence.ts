// A crowd that comes, watches and asks, and goes.
import { openFilesMax } from '../lib/machine.ts';
import type { Outcome } from '../lib/figures.ts';
import type { Stage } from '../lib/stage.ts';
import { commonOptions, type CommonKey, type Scenario } from './scenario.ts';

/** Files the server and its runtime need beside the connections. */
const otherFiles = 200;

type Key = CommonKey | 'users' | 'watched' | 'batch' | 'concurrent';

async function measure(stage: Stage, numbers: Readonly<Record<Key, number>>): Promise<Outcome> {
  const { watched, batch, concurrent, seconds } = numbers;
  const users = Math.min(numbers.users, openFilesMax() - otherFiles);
  const residentBefore = stage.server.residentBytes();
  const plan = { kind: 'crowd', firstUser: 0, users, watched, batch, concurrent } as const;
  return stage.withLoad(plan, async (load) => {
    const joined = await stage.runOnce(load, 'join', seconds);
    const left = await stage.runOnce(load, 'leave', seconds);
    const { joinSeconds = Number.NaN, serverResidentMiB = Number.NaN } = joined.figures;
    const usersText = `only ${users} users: raise "ulimit -n" for more`;
    return {
      figures: {
        ...joined.figures,
        users,
        joinsPerSecond: users / joinSeconds,
        residentBeforeMiB: residentBefore / 2 ** 20,
        perUserKiB: (serverResidentMiB * 1024 - residentBefore / 1024) / users,
        leaveSeconds: left.figures['leaveSeconds'] ?? Number.NaN,
        leaveServerCpuPercent: left.figures['serverCpuPercent'] ?? Number.NaN,
        residentAfterMiB: left.figures['serverResidentMiB'] ?? Number.NaN,
      },
      problems: [...joined.problems, ...left.problems],
      warnings: [...joined.warnings, ...(users < numbers.users ? [usersText] : [])],
    };
  });
}

export const presence: Scenario<Key> = {
  name: 'presence',
  summary: 'users come as fast as they can, watch others, ask about others, and all go',
  options: {
    ...commonOptions({ rounds: 1, warmup: 0 }),
    seconds: { meaning: 'after this, what is not done is wrong', unit: 's', default: 60, min: 1, max: 300 },
    users: { meaning: 'users, one session each', unit: 'count', default: 10_000, min: 2, max: 50_000 },
    watched: {
      meaning: 'others whose presence each subscribes to',
      unit: 'count',
      default: 3,
      min: 1,
      max: 100,
    },
    batch: { meaning: 'others each asks about, at once', unit: 'count', default: 20, min: 0, max: 500 },
    concurrent: { meaning: 'users on their way in at once', unit: 'count', default: 100, min: 1, max: 5_000 },
  },
  work: 'presence',
  columns: [
    { title: 'users', figures: ['users'], digits: 0 },
    { title: 'joins/s', figures: ['joinsPerSecond'], digits: 0, spread: true },
    { title: 'CPU/join µs', figures: ['cpuPerCycleUs'], digits: 0, spread: true },
    { title: 'last one seen after s', figures: ['lastSeenSeconds'], digits: 2 },
    { title: 'in after p50 / p99 ms', figures: ['cycleP50Ms', 'cycleP99Ms'], digits: 1 },
    { title: 'seen after p50 / p99 ms', figures: ['seenP50Ms', 'seenP99Ms'], digits: 1 },
    { title: 'all gone after s', figures: ['leaveSeconds'], digits: 2 },
    {
      title: 'RSS before / with them / after MiB',
      figures: ['residentBeforeMiB', 'serverResidentMiB', 'residentAfterMiB'],
      digits: 0,
    },
    { title: 'KiB/user', figures: ['perUserKiB'], digits: 1 },
    { title: 'server CPU %', figures: ['serverCpuPercent'], digits: 0 },
    { title: 'others on its core %', figures: ['othersCpuPercent'], digits: 0 },
    { title: 'load CPU %', figures: ['loadCpuPercent'], digits: 0 },
  ],
  measure,
};
