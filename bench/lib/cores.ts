// Which cores the server and the load may use. Both are kept apart the same way for every target.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** The unit of CPU times in /proc, the same on all of Linux. */
export const ticksPerSecond = 100;

/** Cores as `taskset -c` takes them; none where a process can't be kept to some. */
export interface Cores {
  readonly server: string | undefined;
  readonly load: string | undefined;
  /** How many cores the load has to itself. */
  readonly loadCount: number;
  /** One line for the report. */
  readonly description: string;
}

/** The numbers in a list such as `0-3,8`. */
function parseCoreList(list: string): readonly number[] {
  return list
    .trim()
    .split(',')
    .filter((part) => part !== '')
    .flatMap((part) => {
      const [first = 0, last = first] = part.split('-').map(Number);
      return Array.from({ length: last - first + 1 }, (_, index) => first + index);
    });
}

function allowedCores(): readonly number[] {
  try {
    const status = readFileSync('/proc/self/status', 'latin1');
    return parseCoreList(/^Cpus_allowed_list:\s*(.*)$/m.exec(status)?.[1] ?? '');
  } catch {
    return [];
  }
}

/** The first allowed core for the server, the others for the load; keeps this process to the load's too. */
export function shareCores(): Cores {
  const unpinned = { server: undefined, load: undefined, loadCount: 1 };
  if (spawnSync('taskset', ['--version']).error !== undefined) {
    return { ...unpinned, description: 'NOT PINNED: taskset (util-linux) is missing; figures are rough' };
  }
  const [server, ...others] = allowedCores();
  if (server === undefined || others.length === 0) {
    return { ...unpinned, description: 'NOT PINNED: server and load share one core; figures are rough' };
  }
  const load = others.join(',');
  spawnSync('taskset', ['-pc', load, String(process.pid)]);
  return {
    server: String(server),
    load,
    loadCount: others.length,
    description: `server on core ${server}, load on ${others.length === 1 ? 'core' : 'cores'} ${load}`,
  };
}

/** Seconds since boot in which `core` was not idle, whoever used it. */
export function busySeconds(core: string): number {
  const line = new RegExp(`^cpu${core} (.*)$`, 'm').exec(readFileSync('/proc/stat', 'latin1'))?.[1] ?? '';
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0, steal = 0] = line.split(' ').map(Number);
  return (user + nice + system + irq + softirq + steal) / ticksPerSecond;
}

/** `command`, kept to `cores` where that is possible. The process id stays the command's own. */
export function pinned(command: readonly string[], cores: string | undefined): readonly string[] {
  return cores === undefined ? command : ['taskset', '-c', cores, ...command];
}
