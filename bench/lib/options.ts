// The command line: every option is a bounded number, a list of targets, or one of a few switches.
import { parseArgs } from 'node:util';
import type { ServerUrls } from './stage.ts';

export interface NumberOption {
  readonly meaning: string;
  readonly unit: string;
  readonly default: number;
  readonly min: number;
  readonly max: number;
}

export type NumberOptions<Key extends string = string> = Readonly<Record<Key, NumberOption>>;

/** What a user asked for that can't be done: one line, exit code 2. */
export class UsageError extends Error {}

export interface Options<Key extends string = string> {
  readonly numbers: Readonly<Record<Key, number>>;
  readonly targets: readonly string[];
  readonly serverArgs: readonly string[];
  readonly dataFolder: string | undefined;
  /** Servers that some targets store or share in. */
  readonly urls: ServerUrls;
  readonly jsonOnly: boolean;
  readonly help: boolean;
}

/**
 * Reads what follows the scenario's name.
 * @throws UsageError for an unknown option or target and for a number out of its bounds.
 */
export function parseOptions<Key extends string>(
  args: readonly string[],
  table: NumberOptions<Key>,
  targetNames: readonly string[],
): Options<Key> {
  const values = parseStrings(args, Object.keys(table));
  const numbers = Object.fromEntries(
    Object.entries<NumberOption>(table).map(([name, option]) => [name, numberOf(name, option, values[name])]),
  ) as Record<Key, number>;
  const urls = { mysql: urlOf('mysql', values), redis: urlOf('redis', values) };
  const targets = typeof values['targets'] === 'string' ? words(values['targets'], ',') : targetNames;
  for (const target of targets) {
    if (!targetNames.includes(target)) {
      throw new UsageError(`unknown target "${target}": there are ${targetNames.join(', ')}`);
    }
  }
  const dataFolder = values['data-dir'];
  return {
    numbers,
    targets,
    serverArgs: typeof values['server-args'] === 'string' ? words(values['server-args'], ' ') : [],
    dataFolder: typeof dataFolder === 'string' ? dataFolder : undefined,
    urls,
    jsonOnly: values['json-only'] === true,
    help: values['help'] === true,
  };
}

/** Help for all number options of a scenario, one line each. */
export function describeOptions(table: NumberOptions): string {
  return Object.entries(table)
    .map(([name, { meaning, unit, default: value, min, max }]) => {
      return `  --${`${name} N`.padEnd(22)} ${meaning} (${unit}; ${min} to ${max}; default ${value})`;
    })
    .join('\n');
}

function words(text: string, separator: string): readonly string[] {
  return text.split(separator).filter((word) => word !== '');
}

function parseStrings(
  args: readonly string[],
  numberNames: readonly string[],
): Record<string, string | boolean> {
  const strings = [...numberNames, 'targets', 'server-args', 'data-dir', 'mysql-url', 'redis-url'];
  try {
    const { values } = parseArgs({
      args: joined(args),
      strict: true,
      allowPositionals: false,
      options: {
        ...Object.fromEntries(strings.map((name) => [name, { type: 'string' as const }])),
        'json-only': { type: 'boolean' },
        help: { type: 'boolean' },
      },
    });
    return values;
  } catch (error) {
    const [line = ''] = (error instanceof Error ? error.message : String(error)).split(/\. |\n/);
    throw new UsageError(line);
  }
}

/** @throws UsageError that does not show it: it may hold a password. */
function urlOf(
  scheme: 'mysql' | 'redis',
  values: Readonly<Record<string, string | boolean>>,
): string | undefined {
  const text = values[`${scheme}-url`];
  if (typeof text !== 'string') {
    return undefined;
  }
  if (URL.canParse(text) && new URL(text).protocol === `${scheme}:`) {
    return text;
  }
  throw new UsageError(`--${scheme}-url takes a URL that begins with ${scheme}://`);
}

/** `--server-args "--edges 1"` as one word: the parser takes a value that starts with a dash for an option. */
function joined(args: readonly string[]): string[] {
  const index = args.indexOf('--server-args');
  const value = args[index + 1];
  return index < 0 || value === undefined
    ? [...args]
    : [...args.slice(0, index), `--server-args=${value}`, ...args.slice(index + 2)];
}

function numberOf(name: string, option: NumberOption, text: string | boolean | undefined): number {
  if (text === undefined) {
    return option.default;
  }
  const value = Number(text);
  const isWrong = option.unit.startsWith('count') && !Number.isInteger(value);
  if (text === '' || Number.isNaN(value) || isWrong || value < option.min || value > option.max) {
    throw new UsageError(
      `--${name} takes a number from ${option.min} to ${option.max} (${option.unit}), not "${text}"`,
    );
  }
  return value;
}
