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
      urls: { mysql: undefined, redis: undefined },
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

  it('[BENCH25] takes the servers that targets store in, and shows no password of a URL that is none', () => {
    const { urls } = parse('--mysql-url', 'mysql://root:secret@db/', '--redis-url=redis://cache:6379');
    expect(urls).toEqual({ mysql: 'mysql://root:secret@db/', redis: 'redis://cache:6379' });
    const refused = /^--mysql-url takes a URL that begins with mysql:\/\/$/;
    expect(() => parse('--mysql-url', 'postgres://root:secret@db/')).toThrow(refused);
  });

  it.each(['-1', '0', '501', '1.5', 'many', '', 'Infinity'])('[BENCH17] refuses --rooms=%s', (text) => {
    expect(() => parse(`--rooms=${text}`)).toThrow(UsageError);
  });
});
