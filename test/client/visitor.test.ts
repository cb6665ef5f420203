// The client in a program of its own.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { beforeAll, expect, test } from 'vitest';
import { startServer } from '../support/server.ts';

let lines: readonly string[];
let code: unknown;

beforeAll(async () => {
  const server = await startServer();
  const script = fileURLToPath(new URL('../support/visitor.js', import.meta.url));
  const child = spawn(process.execPath, [script, server.wsUrl, await server.token('ann')], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  [code] = (await once(child, 'close')) as unknown[];
  lines = output.split('\n');
});

test('[CLIENT16] when it is closed nothing of it keeps a program from ending', () => {
  expect(lines).toContain('kept by: ');
  expect(code).toBe(0);
  expect(lines).toContain('lost: CLOSED');
});

test('[CLIENT34] a listener that throws costs nobody a message, and its error is not hidden', () => {
  const numbers = Array.from({ length: 10 }, (_, index) => index);
  expect(lines.filter((line) => line.startsWith('heard: '))).toEqual(numbers.map((one) => `heard: ${one}`));
  expect(lines.filter((line) => line.startsWith('thrown: '))).toEqual(
    numbers.map((one) => `thrown: at ${one}`),
  );
});
