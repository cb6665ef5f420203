// A server under test: started on its core, waited for, and read from outside through /proc.
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { killChild, startChild, stopChild, type Child } from './children.ts';
import { within } from './clock.ts';
import { pinned, ticksPerSecond } from './cores.ts';

const startMsMax = 20_000;
const linesMax = 6;

export interface ServerOptions {
  readonly command: readonly string[];
  readonly cwd: string;
  /** Cores for `taskset`, if any. */
  readonly cores: string | undefined;
}

export class Server {
  readonly port: number;
  readonly #child: Child;
  readonly #lines: readonly string[];

  private constructor(child: Child, lines: readonly string[], port: number) {
    this.#child = child;
    this.#lines = lines;
    this.port = port;
  }

  /**
   * Starts a server and waits, at most 20 s, for the line that names its port.
   * @throws Error with the last lines it wrote, when it ends or stays silent.
   */
  static async start(options: ServerOptions): Promise<Server> {
    const child = await startChild(pinned(options.command, options.cores), options.cwd, [
      'pipe',
      'pipe',
      'pipe',
    ]);
    const lines: string[] = [];
    const { stdout, stderr } = child.process;
    const port = new Promise<number>((resolve) => {
      const read = (line: string): void => {
        const listening = /listening on http:\/\/[^\s"]*?:(\d+)/.exec(line);
        if (listening !== null) {
          resolve(Number(listening[1]));
        }
        if (!/^\s+at /.test(line) && line.trim() !== '') {
          lines.push(line.trim());
        }
        lines.splice(0, lines.length - linesMax);
      };
      // Both are read to the end: a full pipe would stop the server.
      for (const stream of [stdout, stderr]) {
        if (stream !== null) {
          createInterface({ input: stream }).on('line', read);
        }
      }
    });
    const early = child.ended.then((how) => Promise.reject(new Error(how)));
    try {
      return new Server(child, lines, await within(Promise.race([port, early]), startMsMax, 'starting'));
    } catch (error) {
      await killChild(child);
      const reason = error instanceof Error ? error.message : String(error);
      throw new Error([`did not start: ${reason}`, ...lines].join(' | '), { cause: error });
    }
  }

  /** CPU seconds used so far by all threads of the server, in steps of 10 ms. */
  cpuSeconds(): number {
    const stat = this.#read('stat');
    // The second field is the command in parentheses and may hold blanks; user and system time are 14th and 15th.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
  }

  /** Resident memory in bytes. */
  residentBytes(): number {
    const status = this.#read('status');
    return Number(/^VmRSS:\s*(\d+) kB$/m.exec(status)?.[1]) * 1024;
  }

  /** Lets the server end in its own way, at most 5 s. */
  stop(): Promise<void> {
    return stopChild(this.#child);
  }

  /** Ends the server as a crash would. */
  kill(): Promise<void> {
    return killChild(this.#child);
  }

  #read(file: string): string {
    try {
      return readFileSync(`/proc/${this.#child.pid}/${file}`, 'latin1');
    } catch {
      throw new Error(['the server ended during the run', ...this.#lines].join(' | '));
    }
  }
}
