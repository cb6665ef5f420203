// `stagewire start`: from settings to a running node, and from a signal to its end.
import { hostname } from 'node:os';
import { isNpmStart, resolveConfig, type Given } from './config.ts';
import { freePort } from './free-port.ts';
import { systemClock } from './lib/clock.ts';
import { newId } from './lib/random.ts';
import { openLog } from './log.ts';
import { findSecret } from './secret.ts';
import { claimStorage, migrate } from './storage/open.ts';
import { Supervisor } from './supervisor.ts';

export interface Running {
  readonly url: string;
  /** Resolves with the exit code when the node has ended. */
  readonly ended: Promise<number>;
}

/** Under npm one press of Ctrl-C comes twice, from the terminal and from npm, this close together. */
const echoMs = 200;

const afterFencing =
  'This one stores nothing more and ends. A database is for one server at a time: see that no other is started on it.';

const builtInKinds = new URL('./actors/kinds.js', import.meta.url).href;

/**
 * @param kindsUrl module that exports `kinds`; the built-in list unless given.
 * @throws ConfigError for a wrong setting, any other Error for what can't be had.
 */
export async function startNode(given: Given, kindsUrl = builtInKinds): Promise<Running> {
  const config = resolveConfig(given);
  const secret = findSecret(config);
  const log = openLog(config.logLevel, 'main');
  // Before the claim: a server that can't start must not stop the one that runs.
  const port = await freePort(config.host, config.port);
  await migrate(config.databaseUrl);
  const claim = await claimStorage(config.databaseUrl, ownerName(), systemClock.now());

  let end: (code: number) => void = () => undefined;
  const ended = new Promise<number>((resolve) => (end = resolve));
  const settings = { node: newId(), config, secret, claim, logLevel: config.logLevel, kindsUrl };
  const died = (error: Error): void => {
    log.fatal({ err: error }, 'the node can not go on');
    fail();
  };
  const fenced = (message: string): void => {
    log.fatal(`${message} ${afterFencing}`);
    fail();
  };
  const supervisor = new Supervisor(settings, systemClock, log, { died, fenced });
  let started = false;
  let draining = false;
  let exitCode = 0;

  /** Also in the middle of a drain that was asked for: that is no clean end then. */
  function fail(): void {
    exitCode = 1;
    void drain();
  }

  async function drain(): Promise<void> {
    if (draining) return;
    draining = true;
    log.info('draining');
    const deadline = systemClock.after(config.drainWithinMs, () => {
      log.error('the drain took too long, what is left is cut off');
      dieBy('SIGKILL');
    });
    await supervisor.drain();
    deadline.cancel();
    log.info('drained');
    end(exitCode);
  }

  let isSignalled = false;
  let signalledAtMs = 0;
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      const echo = isNpmStart() && systemClock.now() - signalledAtMs < echoMs;
      signalledAtMs = systemClock.now();
      if (echo) return;
      if (isSignalled || !started) dieBy(signal);
      isSignalled = true;
      void drain();
    });
  }
  process.on('uncaughtException', died);
  await supervisor.start(port);
  started = true;
  return { url: `http://${config.host.includes(':') ? `[${config.host}]` : config.host}:${port}`, ended };
}

/** For whoever finds that another server has taken over. */
function ownerName(): string {
  return `process ${process.pid} on ${hostname()}, started ${new Date(systemClock.now()).toISOString()}`;
}

/**
 * Ends the process at once by the signal itself. Leaving through Node would end threads that hold sockets, and that
 * aborts with a core dump.
 */
function dieBy(signal: 'SIGTERM' | 'SIGINT' | 'SIGKILL'): void {
  if (signal !== 'SIGKILL') process.removeAllListeners(signal);
  process.kill(process.pid, signal);
}
