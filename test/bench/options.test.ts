// The bench's command line, without running anything.
import { describe, expect, it } from 'vitest';
import { parseOptions, UsageError } from '../../bench/lib/options.ts';

const table = {
  rate: { meaning: 'messages', unit: '1/s', default: 4_000, min: 0.5, max: 10_000 },
  rooms: { meaning: 'rooms', unit: 'count', default: 100, min: 1, max: 500 },
};
const parse = (...args: string[]): ReturnType<typeof parseOptions<'rate' | 'rooms'>> =>
  parseOptions(args, table, ['stagewire', 'uws']);

describe('bench options', () => {
  it('[BENCH15] gives defaults for what is not named', () => {
    expect(parse()).toEqual({
      numbers: { rate: 4_000, rooms: 100 },
      targets: ['stagewire', 'uws'],
      serverArgs: [],
      dataFolder: undefined,
      jsonOnly: false,
      help: false,
    });
  });

  it('[BENCH16] hands arguments with dashes on to the server', () => {
    const options = parse('--server-args', '--edges 1  --shards 2', '--rate', '0.5', '--targets=uws');
    expect(options.serverArgs).toEqual(['--edges', '1', '--shards', '2']);
    expect(options.numbers.rate).toBe(0.5);
    expect(options.targets).toEqual(['uws']);
  });

  it.each(['-1', '0', '501', '1.5', 'many', '', 'Infinity'])('[BENCH17] refuses --rooms=%s', (text) => {
    expect(() => parse(`--rooms=${text}`)).toThrow(UsageError);
  });
});
