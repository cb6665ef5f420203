// Makes commits durable. SQLite would do it with fsync, which also writes the log's times to its inode: one more
// write, and on a journalling file system one more flush, for nothing that recovery needs. With `synchronous = NORMAL`
// SQLite orders the log against its checkpoints and leaves the flush of each commit to this, which flushes the data
// (and the size, when it has grown) alone.
import fs from 'node:fs';
import { resolve } from 'node:path';

export class WriteAheadLog {
  readonly #path: string;
  // The log stays the same file for as long as a connection is open: checkpoints write it over or cut it.
  #descriptor: number | null = null;

  /** @param file the database file; its log must exist when `sync` is called first. */
  constructor(file: string) {
    this.#path = `${resolve(file)}-wal`;
  }

  /** Returns when all that was committed is durable. @throws the error of the system. */
  sync(): void {
    this.#descriptor ??= fs.openSync(this.#path, 'r+');
    fs.fdatasyncSync(this.#descriptor);
  }

  close(): void {
    if (this.#descriptor !== null) fs.closeSync(this.#descriptor);
    this.#descriptor = null;
  }
}
