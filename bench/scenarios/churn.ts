// Connections that come and go: connect, sign in, subscribe, disconnect.
import { chatOptions, type ChatKey, type Scenario } from './scenario.ts';

export const churn: Scenario<ChatKey | 'concurrent' | 'rooms'> = {
  name: 'churn',
  summary: 'connect, sign in, subscribe and disconnect, over and over',
  options: {
    ...chatOptions(),
    concurrent: { meaning: 'connections under way at once', unit: 'count', default: 50, min: 1, max: 5_000 },
    rooms: { meaning: 'rooms they subscribe to, in turn', unit: 'count', default: 20, min: 1, max: 5_000 },
  },
  cost: { figure: 'cpuPerCycleUs', title: 'CPU × uws' },
  columns: [
    { title: 'cycles/s', figures: ['cyclesPerSecond'], digits: 0, spread: true },
    { title: 'CPU/cycle µs', figures: ['cpuPerCycleUs'], digits: 0, spread: true },
    { title: 'subscribed after p50 / p99 ms', figures: ['cycleP50Ms', 'cycleP99Ms'], digits: 1 },
    { title: 'failed', figures: ['closed'], digits: 0 },
    { title: 'server CPU %', figures: ['serverCpuPercent'], digits: 0 },
    { title: 'others on its core %', figures: ['othersCpuPercent'], digits: 0 },
    { title: 'server RSS MiB', figures: ['serverResidentMiB'], digits: 0 },
    { title: 'load CPU %', figures: ['loadCpuPercent'], digits: 0 },
  ],
  measure: async (stage, numbers) => {
    const rooms = await stage.rooms(numbers.rooms);
    return stage.withChat({ kind: 'churn', rooms, lanes: numbers.concurrent }, (load) =>
      stage.run(load, { kind: 'closed', window: 1, until: 'receipt' }, numbers),
    );
  },
};
