// What the figures were taken on.
import { readFileSync, statfsSync } from 'node:fs';
import { cpus, release, totalmem } from 'node:os';
import { version } from 'node:process';

export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGiB: number;
  readonly kernel: string;
  readonly node: string;
  /** How server and load are kept apart. */
  readonly pinning: string;
  /** Where databases lie, and whether that is a disk at all. */
  readonly database: string;
}

/** How many files and sockets this process, and those it starts, may have open. */
export function openFilesMax(): number {
  const limits = readFileSync('/proc/self/limits', 'latin1');
  const text = /^Max open files\s+(\S+)/m.exec(limits)?.[1] ?? '';
  return text === 'unlimited' ? Infinity : Number(text);
}

const tmpfsType = 0x01021994;

export function describeMachine(pinning: string, dataFolder: string): Machine {
  const inMemory = statfsSync(dataFolder).type === tmpfsType;
  return {
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: cpus().length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    kernel: release(),
    node: version,
    pinning,
    database: inMemory ? 'IN MEMORY (tmpfs): fsync costs nothing here, use --data-dir' : 'on disk',
  };
}
