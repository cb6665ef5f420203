// Reads a MySQL or MariaDB database without giving up the thread, as better-sqlite3 does: a worker thread asks the
// database, and this one sleeps until it has the rows. One worker serves all readers of a test file.
import { MessageChannel, receiveMessageOnPort, Worker, type MessagePort } from 'node:worker_threads';

/** What the worker is asked; a reader is known by its number. */
export type Asked =
  | { readonly reader: number; readonly type: 'open'; readonly url: string }
  | {
      readonly reader: number;
      readonly type: 'rows';
      readonly sql: string;
      readonly values: readonly (string | number)[];
    }
  | { readonly reader: number; readonly type: 'close' };

export type Answered = { readonly rows: Readonly<Record<string, unknown>>[] } | { readonly failure: string };

export interface ReaderThread {
  readonly port: MessagePort;
  /** +1 with each answer. */
  readonly answers: Int32Array;
}

const waitMs = 20_000;

let thread: ReaderThread | undefined;
let readers = 0;

export class MysqlReader {
  readonly #number: number;

  /** @throws Error that says why the database can't be read. */
  constructor(url: string) {
    readers += 1;
    this.#number = readers;
    ask({ reader: this.#number, type: 'open', url });
  }

  rows(sql: string, values: readonly (string | number)[]): Readonly<Record<string, unknown>>[] {
    return ask({ reader: this.#number, type: 'rows', sql, values });
  }

  close(): void {
    ask({ reader: this.#number, type: 'close' });
  }
}

function ask(asked: Asked): Readonly<Record<string, unknown>>[] {
  thread ??= startThread();
  const { port, answers } = thread;
  const before = Atomics.load(answers, 0);
  port.postMessage(asked);
  if (Atomics.wait(answers, 0, before, waitMs) === 'timed-out')
    throw new Error('The database does not answer.');
  const answered = receiveMessageOnPort(port)?.message as Answered;
  if ('failure' in answered) throw new Error(answered.failure);
  return answered.rows.map(withBuffers);
}

/** Bytes come from another thread as what Buffer is made of. */
function withBuffers(row: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const fields = Object.entries(row).map(([column, value]) => [
    column,
    value instanceof Uint8Array ? Buffer.from(value.buffer, value.byteOffset, value.byteLength) : value,
  ]);
  return Object.fromEntries(fields) as Readonly<Record<string, unknown>>;
}

function startThread(): ReaderThread {
  const { port1: port, port2 } = new MessageChannel();
  const answers = new Int32Array(new SharedArrayBuffer(4));
  const file = new URL('./mysql-reader-thread.js', import.meta.url);
  const theirs: ReaderThread = { port: port2, answers };
  const worker = new Worker(file, { workerData: theirs, transferList: [port2] });
  // It lives as long as the tests do.
  worker.unref();
  port.unref();
  return { port, answers };
}
