// What the log says of a database or Redis that goes and comes back: a line for each, and nothing else.
import { expect, vi } from 'vitest';
import type { LogLine, TestServer } from './server.ts';

const kinds = [
  { went: 'the database is away', back: 'the database is back' },
  { went: 'Redis is away, the node goes on without it', back: 'Redis is back' },
];
/** Whatever else is no news to an operator. */
const others = new Set(['Redis is there', 'draining', 'drained']);

/** The log without its lines about single connections. */
const linesOf = ({ log }: TestServer): LogLine[] => log.filter(({ event }) => event === undefined);

/** How often each thread lost what it needs, as `storage: Redis is away…`. @throws while one of them goes on. */
export function outagesOf(server: TestServer): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { went, back } of kinds) {
    for (const thread of new Set(server.log.map((line) => line['thread']))) {
      const told = linesOf(server).filter((line) => line['thread'] === thread);
      const lines = told.map(({ msg }) => msg).filter((msg) => msg === went || msg === back);
      expect(lines).toEqual(lines.map((_, index) => (index % 2 === 0 ? went : back)));
      expect(lines.length % 2, `${String(thread)}: ${lines.join(', ')}`).toBe(0);
      if (lines.length > 0) counts.set(`${String(thread)}: ${went}`, lines.length / 2);
    }
  }
  return counts;
}

/**
 * Looks until everything is back: then each thread has said so as often as it said that it is away, and nothing else.
 *
 * @param outagesMax of each thread.
 */
export async function expectQuietLog(server: TestServer, outagesMax: number): Promise<void> {
  const outages = await vi.waitFor(() => outagesOf(server), { timeout: 10_000 });
  for (const [what, count] of outages) expect(count, what).toBeLessThanOrEqual(outagesMax);
  const said = new Set([...kinds.flatMap(({ went, back }) => [went, back]), ...others]);
  expect(linesOf(server).filter(({ msg }) => !said.has(String(msg)))).toEqual([]);
  for (const { msg, awayMs } of linesOf(server)) {
    if (kinds.some(({ back }) => back === msg)) expect(awayMs).toEqual(expect.any(Number));
  }
}
