// Starts the child processes of the stores' tests and reads their lines.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

export interface Child {
  /** The next line it writes; rejects when it ends before. */
  line(): Promise<string>;
  say(line: string): void;
  kill(): void;
  /** Resolves when it has ended and all its lines were read, with those that `line` didn't take. */
  ended(): Promise<string[]>;
}

export function startChild(task: 'migrate' | 'commit', place: string): Child {
  return startScript('./storage-child.js', [task, place]);
}

/** @param script a built file, named as seen from this one. */
export function startScript(script: string, parameters: readonly string[]): Child {
  const path = fileURLToPath(new URL(script, import.meta.url));
  const child = spawn(process.execPath, [path, ...parameters], { stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const closed = once(child, 'close');
  return {
    async line() {
      const next = await lines.next();
      if (next.done) throw new Error('The child process ended.');
      return next.value;
    },
    say: (line) => child.stdin.write(`${line}\n`),
    kill: () => child.kill('SIGKILL'),
    async ended() {
      const rest: string[] = [];
      for (let next = await lines.next(); !next.done; next = await lines.next()) rest.push(next.value);
      await closed;
      return rest;
    },
  };
}
