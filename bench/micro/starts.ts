// What a start costs until the server listens, with one thread of each kind and with two: of the few files in dist/server,
// and of the modules in dist/src one by one, in turns.
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { execPath, stdout } from 'node:process';
import { deleteScratch, makeScratch } from '../lib/scratch.ts';
import { Server } from '../lib/server.ts';
import { spreadOf } from '../lib/statistics.ts';

const rounds = 9;
const folders = ['server', 'src'] as const;

interface Start {
  readonly wallMs: number;
  readonly cpuMs: number;
}

async function start(folder: string, threads: string): Promise<Start> {
  const main = join(import.meta.dirname, '../..', folder, 'main.js');
  const scratch = makeScratch(tmpdir());
  const settings = ['--port', '0', '--edges', threads, '--shards', threads];
  const startedMs = performance.now();
  const server = await Server.start({
    command: [execPath, main, 'start', ...settings],
    cwd: scratch,
    cores: undefined,
  });
  const found = { wallMs: performance.now() - startedMs, cpuMs: server.cpuSeconds() * 1_000 };
  await server.kill();
  deleteScratch(scratch);
  return found;
}

const shown = (values: readonly number[]): string => `${spreadOf(values)?.median.toFixed(0)} ms`;

for (const threads of ['1', '2']) {
  const starts = { server: [] as Start[], src: [] as Start[] };
  for (let round = 0; round < rounds; round += 1) {
    for (const folder of folders) starts[folder].push(await start(folder, threads));
  }
  for (const folder of folders) {
    const wall = shown(starts[folder].map(({ wallMs }) => wallMs));
    const cpu = shown(starts[folder].map(({ cpuMs }) => cpuMs));
    stdout.write(`${threads} + ${threads} threads, dist/${folder}: ${wall}, of CPU ${cpu}\n`);
  }
}
