// Every process that a run starts is in one set, and ends with the run, whatever way that ends: by its own id.
import { spawn, type ChildProcess, type StdioOptions } from 'node:child_process';
import process from 'node:process';
import { within } from './clock.ts';
import { makeDeferred } from './deferred.ts';

const children = new Set<ChildProcess>();
const stopMsMax = 5_000;

process.on('exit', () => {
  for (const child of children) {
    child.kill('SIGKILL');
  }
});

export interface Child {
  readonly process: ChildProcess;
  readonly pid: number;
  /** Resolves with how it ended, once it has. */
  readonly ended: Promise<string>;
}

/**
 * Starts `command` in `cwd`.
 * @throws Error when it can't be started.
 */
export async function startChild(
  command: readonly string[],
  cwd: string,
  stdio: StdioOptions,
): Promise<Child> {
  const [file = '', ...args] = command;
  const child = spawn(file, args, { cwd, stdio });
  const started = makeDeferred();
  const ended = makeDeferred<string>();
  children.add(child);
  child.once('spawn', () => started.resolve());
  child.once('error', (error) => started.reject(error));
  child.once('exit', (code, signal) => {
    children.delete(child);
    ended.resolve(signal === null ? `it ended with code ${code}` : `it was ended by ${signal}`);
  });
  await started.promise;
  return { process: child, pid: child.pid ?? 0, ended: ended.promise };
}

/** Asks a child to end, and ends it after 5 s if it has not. */
export async function stopChild(child: Child): Promise<void> {
  child.process.kill('SIGTERM');
  try {
    await within(child.ended, stopMsMax, 'stopping');
  } catch {
    await killChild(child);
  }
}

/** Ends a child with no chance to tidy up, as a crash does. */
export async function killChild(child: Child): Promise<void> {
  child.process.kill('SIGKILL');
  await child.ended;
}
