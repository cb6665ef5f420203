// The bench as a user runs it, for two seconds.
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { messageOverheadBytes } from '../../bench/protocols/table.ts';

const script = fileURLToPath(new URL('../../bench/main.js', import.meta.url));

function run(...args: string[]): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const child = spawn(process.execPath, [script, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  const output = { stdout: '', stderr: '' };
  child.stdout.on('data', (chunk: Buffer) => (output.stdout += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (output.stderr += chunk.toString()));
  return new Promise((resolve) => child.once('close', (code) => resolve({ code, ...output })));
}

interface Line {
  readonly sound: boolean;
  readonly machine: { readonly node: string };
  readonly targets: readonly {
    readonly name: string;
    readonly version: string;
    readonly rounds: readonly { readonly figures: Record<string, number> }[];
    readonly ratioToUws: { readonly median: number };
  }[];
}

describe('bench', () => {
  it('[BENCH13] fanout delivers everything and prints one line of JSON', async () => {
    const sizes = ['--subscribers', '20', '--rounds', '1', '--seconds', '1', '--warmup', '0.5'];
    const { code, stdout, stderr } = await run('fanout', '--targets', 'uws,ws', '--json-only', ...sizes);
    expect(stderr).not.toContain('ERROR');
    const line = JSON.parse(stdout) as Line;
    expect(line.sound).toBe(true);
    expect(line.machine.node).toBe(process.version);
    expect(line.targets.map(({ name }) => name)).toEqual(['uws', 'ws']);
    for (const { version, rounds, ratioToUws } of line.targets) {
      expect(version).toMatch(/ \d+\.\d+\.\d+$/);
      expect(rounds[0]?.figures).toMatchObject({
        lost: 0,
        extra: 0,
        closed: 0,
        bytesPerDelivery: 64 + messageOverheadBytes,
      });
      expect(rounds[0]?.figures['deliveriesPerSecond']).toBeGreaterThan(0);
      expect(rounds[0]?.figures['deliveryP99Ms']).toBeGreaterThan(0);
      expect(ratioToUws.median).toBeGreaterThan(0);
    }
    expect(code).toBe(0);
  });

  it.each([
    [['no-such-scenario'], 'unknown scenario "no-such-scenario"'],
    [['rooms', '--no-such-flag', '1'], "Unknown option '--no-such-flag'"],
    [['rooms', '--rate', 'fast'], '--rate takes a number'],
    [['rooms', '--rooms', '1.5'], '--rooms takes a number'],
    [['rooms', '--targets', 'uws,other'], 'unknown target "other"'],
  ])('[BENCH14] %j is refused in one line with exit code 2', async (args, words) => {
    const { code, stdout, stderr } = await run(...args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain(words);
    expect(stderr.trimEnd().split('\n')).toHaveLength(1);
  });
});
