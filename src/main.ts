#!/usr/bin/env node
// The command line.
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { Command, CommanderError, Option } from 'commander';
import { ConfigError, resolveConfig, settings, type Given, type SettingName } from './config.ts';
import { signToken } from './edge/auth.ts';
import { systemClock } from './lib/clock.ts';
import { parseDuration } from './lib/duration.ts';
import { findSecret } from './secret.ts';
import { startNode } from './start.ts';
import type { MigrationPlan, MigrationReport } from './storage/migration.ts';
import { migrate, planMigration } from './storage/open.ts';
import { version } from './version.ts';
import { welcome } from './welcome.ts';

const usageExitCode = 2;
const failureExitCode = 1;

/** Adds flags for these settings; their values stay text until `resolveConfig` reads them. */
function withSettings(command: Command, names: readonly SettingName[]): Command {
  for (const name of names) {
    const { flag, argument, help, variable, fallback } = settings[name];
    const from = fallback ? `default ${fallback}, ` : '';
    command.addOption(new Option(`${flag} ${argument}`, `${help} (${from}${variable})`));
  }
  return command;
}

/** What the flags say, by setting: commander names options after their flags. */
function given(command: Command): Given {
  const options = command.opts<Record<string, string>>();
  const found: Given = {};
  for (const name of Object.keys(settings) as SettingName[]) {
    const attribute = new Option(settings[name].flag).attributeName();
    if (options[attribute] !== undefined) found[name] = options[attribute];
  }
  return found;
}

function migrationWords({ from, to, applied }: MigrationReport): string {
  if (applied.length === 0) return `The schema is at version ${to}: nothing to do.\n`;
  return `The schema went from version ${from} to ${to}: ${applied.join(', ')}.\n`;
}

/** SQL with what is to be said as comments. */
function migrationScript({ from, to, pending }: MigrationPlan): string {
  if (pending.length === 0) return `-- The schema is at version ${to}: nothing to do.\n`;
  const parts = pending.map(({ name, statements }) => [
    `-- ${name}`,
    ...statements.map((sql) => (sql.endsWith(';') ? sql : `${sql};`)),
  ]);
  const head = `-- The schema would go from version ${from} to ${to}. Nothing was changed.`;
  return `${[head, ...parts.flat()].join('\n')}\n`;
}

const collect = (value: string, all: readonly string[] = []): readonly string[] => [...all, value];

const program = new Command('stagewire')
  .description('Real-time backend: STOMP over WebSocket, routed to durable actors.')
  .version(version)
  .exitOverride()
  .configureOutput({
    // A guess at what was meant would be a second line.
    writeErr: (text) =>
      void process.stderr.write(text.replace(/^error: /, 'stagewire: ').replace('\n(Did', ' (Did')),
  });

withSettings(program.command('start'), Object.keys(settings) as SettingName[])
  .description('run the server')
  .action(async (_options, command: Command) => {
    const settingsGiven = given(command);
    const { url, ended } = await startNode(settingsGiven);
    process.stdout.write(`stagewire ${version} listening on ${url}\n`);
    if (process.stdout.isTTY) process.stdout.write(welcome(resolveConfig(settingsGiven), url));
    process.exitCode = await ended;
  });

withSettings(program.command('token'), ['host', 'databaseUrl', 'jwtSecret', 'jwksUrl'])
  .description('print a token signed with the secret of the server')
  .requiredOption('--user <id>', 'user id, at most 36 characters')
  .option('--role <name>', 'role, such as service; may be repeated', collect)
  .option('--expires <duration>', 'lifetime', '24h')
  .action(async (options: { role?: readonly string[]; user: string; expires: string }, command: Command) => {
    const secret = findSecret(resolveConfig(given(command)));
    if (secret === null) throw new ConfigError('tokens of a key set are made where its private key is');
    const expiresInMs = usage('--expires', () => parseDuration(options.expires));
    if (options.user === '' || options.user.length > 36) {
      throw new ConfigError('--user must have 1 to 36 characters');
    }
    const claims = { user: options.user, roles: options.role ?? [], expiresInMs };
    const token = await signToken(secret, claims, systemClock.now()).catch((refusal: Error) => {
      throw new ConfigError(`--user or --role: ${refusal.message}`, { cause: refusal });
    });
    process.stdout.write(`${token}\n`);
  });

withSettings(program.command('migrate'), ['databaseUrl'])
  .description('bring the database to the current schema')
  .option('--dry-run', 'print what would run, as SQL, and change nothing')
  .action(async (options: { dryRun?: true }, command: Command) => {
    const { databaseUrl } = resolveConfig(given(command));
    if (options.dryRun) process.stdout.write(migrationScript(await planMigration(databaseUrl)));
    else process.stdout.write(migrationWords(await migrate(databaseUrl)));
  });

program
  .command('bench')
  .description('load scripts: stagewire bench <scenario>, or --help for the list')
  .allowUnknownOption()
  .helpOption(false)
  .argument('[arguments...]')
  .action(async (_arguments, _options, command: Command) => {
    const script = fileURLToPath(new URL('../bench/main.js', import.meta.url));
    const child = spawn(process.execPath, [script, ...command.args], { stdio: 'inherit' });
    process.exitCode = await new Promise<number>((resolve) => {
      child.once('exit', (code) => resolve(code ?? failureExitCode));
    });
  });

function usage<Value>(flag: string, parse: () => Value): Value {
  try {
    return parse();
  } catch (thrown) {
    throw new ConfigError(`${flag}: ${(thrown as Error).message}`, { cause: thrown });
  }
}

try {
  await program.parseAsync();
} catch (thrown) {
  if (thrown instanceof CommanderError) process.exitCode = thrown.exitCode === 0 ? 0 : usageExitCode;
  else {
    process.stderr.write(`stagewire: ${(thrown as Error).message}\n`);
    process.exitCode = thrown instanceof ConfigError ? usageExitCode : failureExitCode;
  }
}
// Handles that are left over must not keep a process alive that has nothing more to do.
if (process.exitCode !== undefined && process.exitCode !== 0) process.exit();
