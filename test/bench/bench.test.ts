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

/** One short round of Stagewire alone, in which nothing went wrong. */
function figuresOf(scenario: string, ...sizes: string[]): Promise<Record<string, number>> {
  return figuresOfTarget('stagewire', scenario, ...sizes);
}

async function figuresOfTarget(
  target: string,
  scenario: string,
  ...sizes: string[]
): Promise<Record<string, number>> {
  const common = ['--targets', target, '--json-only', '--rounds', '1'];
  const { code, stdout, stderr } = await run(scenario, ...common, ...sizes);
  expect({ code, stderr }).toEqual({ code: 0, stderr: expect.not.stringContaining('ERROR') as string });
  const line = JSON.parse(stdout) as Line;
  expect(line.sound).toBe(true);
  return line.targets[0]?.rounds[0]?.figures ?? {};
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

  it('[BENCH22] documents, edited by several, are the same everywhere in the end', async () => {
    const sizes = ['--documents', '2', '--editors', '3', '--units', '500'];
    const figures = await figuresOf('documents', ...sizes, '--seconds', '1', '--warmup', '0.5');
    expect(figures).toMatchObject({ differing: 0, lost: 0, receiptsMissing: 0, closed: 0 });
    expect(figures['receiptsPerSecond']).toBeGreaterThan(0);
    expect(figures['receiptP99Ms']).toBeGreaterThan(0);
  });

  it('[BENCH23] ticks are all applied, at both rates, and seen by every viewer', async () => {
    const sizes = ['--rate', '2000', '--ratio', '2', '--symbols', '50', '--viewers', '5', '--streams', '2'];
    const figures = await figuresOf('ticks', ...sizes, '--seconds', '1', '--warmup', '0.5');
    expect(figures).toMatchObject({ viewers: 5, slowViewers: 5, closed: 0, slowClosed: 0 });
    for (const name of ['acceptedPerSecond', 'slowAcceptedPerSecond', 'outputRatio', 'probeP99Ms']) {
      expect(figures[name]).toBeGreaterThan(0);
    }
    expect(figures['messagesPerViewerPerSecond']).toBeGreaterThan(0);
  });

  it('[BENCH24] users who come are seen by all who watch them, and are gone when they go', async () => {
    const figures = await figuresOf('presence', '--users', '30', '--batch', '5', '--concurrent', '10');
    expect(figures).toMatchObject({ users: 30, closed: 0 });
    for (const name of ['joinsPerSecond', 'lastSeenSeconds', 'leaveSeconds', 'cpuPerCycleUs']) {
      expect(figures[name]).toBeGreaterThanOrEqual(0);
    }
  });

  it('[BENCH27] rooms over SockJS lose nothing, and each message weighs its frame more', async () => {
    const sizes = ['--rooms', '3', '--members', '4', '--rate', '50', '--seconds', '1', '--warmup', '0.5'];
    const figures = await figuresOfTarget('stagewire-sockjs', 'rooms', ...sizes);
    expect(figures).toMatchObject({ lost: 0, extra: 0, receiptsMissing: 0, closed: 0 });
    expect(figures['deliveriesPerSecond']).toBeGreaterThan(0);
    expect(figures['bytesPerDelivery']).toBeGreaterThan(64 + messageOverheadBytes);
  });

  it.each([
    [['no-such-scenario'], 'unknown scenario "no-such-scenario"'],
    [['rooms', '--no-such-flag', '1'], "Unknown option '--no-such-flag'"],
    [['rooms', '--rate', 'fast'], '--rate takes a number'],
    [['rooms', '--rooms', '1.5'], '--rooms takes a number'],
    [['rooms', '--targets', 'uws,other'], 'unknown target "other"'],
    [['presence', '--targets', 'uws'], 'unknown target "uws"'],
  ])('[BENCH14] %j is refused in one line with exit code 2', async (args, words) => {
    const { code, stdout, stderr } = await run(...args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain(words);
    expect(stderr.trimEnd().split('\n')).toHaveLength(1);
  });
});
