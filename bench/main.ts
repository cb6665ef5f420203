#!/usr/bin/env node
// The command line of the load scripts: `main.js <scenario> [options]`.
import process, { argv, stderr, stdout } from 'node:process';
import { mkdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { resolve } from 'node:path';
import { shareCores, type Cores } from './lib/cores.ts';
import { describeMachine } from './lib/machine.ts';
import { describeOptions, parseOptions, UsageError, type Options } from './lib/options.ts';
import { installPackages, isInstalled } from './lib/packages.ts';
import { isSound, jsonOf, markdownOf, remarksOf, type TargetResult } from './lib/report.ts';
import { Stage, type ServerUrls } from './lib/stage.ts';
import { contentBytes as contentBytesDefault, type CommonKey, type Scenario } from './scenarios/scenario.ts';
import { scenarios } from './scenarios/table.ts';
import { targets, type Target } from './targets.ts';

const exitCodes = { sound: 0, unsound: 1, usage: 2, interrupted: 130 } as const;

interface Entrant {
  readonly target: Target;
  readonly rounds: TargetResult['rounds'][number][];
  error?: string;
}

/** Names of the targets that can take part; of all targets without a scenario. */
function targetsOf(scenario: Scenario<CommonKey> | undefined): readonly string[] {
  const work = scenario === undefined ? undefined : (scenario.work ?? 'chat');
  return targets.filter(({ works }) => work === undefined || works.includes(work)).map(({ name }) => name);
}

function helpText(scenario: Scenario<CommonKey> | undefined): string {
  const list = scenarios.map(({ name, summary }) => `  ${name.padEnd(10)} ${summary}`);
  return [
    `usage: npm run bench -- ${scenario?.name ?? '<scenario>'} [options]`,
    ...(scenario === undefined
      ? ['', 'Scenarios (each has its own --help):', ...list]
      : ['', scenario.summary]),
    ...(scenario === undefined ? [] : ['', 'Options:', describeOptions(scenario.options)]),
    `  --targets a,b            of ${targetsOf(scenario).join(', ')} (default: all)`,
    '  --server-args "ARGS"     more arguments for `stagewire start`',
    '  --mysql-url URL          server for the targets named after it; databases are made and dropped there',
    '  --redis-url URL          the same for Redis, whose keys are written over',
    '  --data-dir FOLDER        where databases lie while they are needed (default: the temporary folder)',
    '  --json-only              print only the line of JSON',
    '  --help                   print this',
    '',
  ].join('\n');
}

/** The option that a target can't do without and that was not given. */
function lackOf({ store, shares }: Target, { mysql, redis }: ServerUrls): string | undefined {
  if (store === 'mysql' && mysql === undefined) {
    return '--mysql-url';
  }
  return shares === true && redis === undefined ? '--redis-url' : undefined;
}

/** Splits the targets asked for into those that take part and the reasons of those that can't. */
function enter(
  scenario: Scenario<CommonKey>,
  { targets: names, urls }: Pick<Options<CommonKey>, 'targets' | 'urls'>,
): { entrants: Entrant[]; leftOut: string[] } {
  const entrants: Entrant[] = [];
  const leftOut: string[] = [];
  const asked = targets.filter(({ name }) => names.includes(name));
  const isMissing = ({ needs }: Target): boolean => needs !== undefined && !isInstalled(needs);
  if (asked.some(isMissing)) {
    stderr.write('installing the dependencies of bench/package.json\n');
    installPackages();
  }
  for (const target of asked) {
    const lacks = lackOf(target, urls);
    if (lacks !== undefined) {
      // Nobody has asked for it by its name.
      if (names.length < targetsOf(scenario).length) {
        leftOut.push(`${target.name}: it needs ${lacks}`);
      }
    } else if (isMissing(target)) {
      leftOut.push(`${target.name}: package ${target.needs} is not installed and npm could not install it`);
    } else if (scenario.needsReceipts === true && target.receipts === 'never') {
      leftOut.push(`${target.name}: it gives no receipts for messages, which is what this scenario measures`);
    } else {
      entrants.push({ target, rounds: [] });
    }
  }
  leftOut.forEach((reason) => stderr.write(`left out ${reason}\n`));
  return { entrants, leftOut };
}

/** All rounds: each starts with another target, so that none always meets the machine in the same state. */
async function play(
  scenario: Scenario<CommonKey>,
  options: Options<CommonKey>,
  place: { readonly cores: Cores; readonly dataFolder: string; readonly entrants: readonly Entrant[] },
): Promise<readonly TargetResult[]> {
  const { cores, dataFolder, entrants } = place;
  for (let round = 0; round < options.numbers.rounds; round++) {
    for (let turn = 0; turn < entrants.length; turn++) {
      const entrant = entrants[(turn + round) % entrants.length];
      if (entrant === undefined || entrant.error !== undefined) {
        continue;
      }
      stderr.write(`round ${round + 1}/${options.numbers.rounds}: ${entrant.target.name}\n`);
      const { serverArgs, urls } = options;
      const { 'content-bytes': contentBytes = contentBytesDefault }: Readonly<Record<string, number>> =
        options.numbers;
      try {
        const stageOptions = { target: entrant.target, cores, dataFolder, serverArgs, urls, contentBytes };
        const outcome = await Stage.with(stageOptions, (stage) => scenario.measure(stage, options.numbers));
        entrant.rounds.push(outcome);
      } catch (error) {
        entrant.error = error instanceof Error ? error.message : String(error);
        stderr.write(`ERROR ${entrant.target.name}: ${entrant.error}\n`);
      }
    }
  }
  return entrants.map(({ target, rounds, error }) => ({
    name: target.name,
    version: target.version(),
    stores: target.stores,
    rounds,
    ...(error === undefined ? {} : { error }),
  }));
}

async function main(args: readonly string[]): Promise<number> {
  const [name, ...rest] = args;
  if (name === undefined || name === '--help' || name === 'help') {
    stdout.write(helpText(undefined));
    return name === undefined ? exitCodes.usage : exitCodes.sound;
  }
  const scenario = scenarios.find((candidate) => candidate.name === name);
  if (scenario === undefined) {
    throw new UsageError(
      `unknown scenario "${name}": there are ${scenarios.map((known) => known.name).join(', ')}`,
    );
  }
  const options = parseOptions(rest, scenario.options, targetsOf(scenario));
  if (options.help) {
    stdout.write(helpText(scenario));
    return exitCodes.sound;
  }
  const dataFolder = resolve(options.dataFolder ?? tmpdir());
  mkdirSync(dataFolder, { recursive: true });
  const cores = shareCores();
  const { entrants, leftOut } = enter(scenario, options);
  const results = await play(scenario, options, { cores, dataFolder, entrants });
  const report = {
    scenario,
    machine: describeMachine(cores.description, dataFolder),
    options: {
      ...options.numbers,
      ...(options.serverArgs.length > 0 ? { 'server-args': options.serverArgs.join(' ') } : {}),
    },
    results,
    leftOut,
  };
  if (options.jsonOnly) {
    stderr.write(
      remarksOf(report)
        .map((remark) => `${remark}\n`)
        .join(''),
    );
  } else {
    stdout.write(`${markdownOf(report)}\n`);
  }
  stdout.write(`${jsonOf(report)}\n`);
  return isSound(results) ? exitCodes.sound : exitCodes.unsound;
}

// The children end with this process: see lib/children.ts.
process.once('SIGINT', () => process.exit(exitCodes.interrupted));
process.once('SIGTERM', () => process.exit(exitCodes.interrupted));
try {
  process.exitCode = await main(argv.slice(2));
} catch (error) {
  stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = error instanceof UsageError ? exitCodes.usage : exitCodes.unsound;
}
