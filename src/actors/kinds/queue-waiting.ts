// The bodies of a queue that are in memory: those of the first messages that wait, and as many as there is room for of
// the messages that consumers hold, who may give them back. All others are read when they are wanted.
import type { QueueMessageRow } from '../../storage/tables.ts';

const bytesMax = 2 * 1024 * 1024;
/** What a message takes besides its body and its headers, about. */
const messageBytes = 512;

const sizeOf = ({ body, headers }: QueueMessageRow): number =>
  messageBytes + body.length + 2 * (headers?.length ?? 0);

export class Waiting {
  /** Every message that waits and has a position up to here is in `rows`. */
  upto: number;
  /** In the order of their positions. */
  readonly rows: QueueMessageRow[] = [];
  /** Bodies of messages that are held, by id. */
  readonly kept = new Map<string, QueueMessageRow>();
  rowBytes = 0;
  keptBytes = 0;

  constructor(upto: number) {
    this.upto = upto;
  }

  get bytes(): number {
    return this.rowBytes + this.keptBytes;
  }

  /** Whether more should be read. Half of the bound, so that what is read is not let go of at once. */
  get hasRoom(): boolean {
    return this.rowBytes < bytesMax / 2;
  }

  /** The next message after all that are there. */
  push(row: QueueMessageRow): void {
    // A view would hold on to all that came with it.
    const own = { ...row, body: Buffer.from(row.body) };
    this.rows.push(own);
    this.rowBytes += sizeOf(own);
    this.upto = row.position;
  }

  /** A message that was held waits again. */
  putBack(row: QueueMessageRow): void {
    if (row.position > this.upto) return;
    const place = this.rows.findIndex(({ position }) => position > row.position);
    this.rows.splice(place === -1 ? this.rows.length : place, 0, row);
    this.rowBytes += sizeOf(row);
  }

  take(index: number): void {
    const [row] = index === 0 ? [this.rows.shift()] : this.rows.splice(index, 1);
    if (row) this.rowBytes -= sizeOf(row);
  }

  /** The message of that id neither waits nor is held any more. */
  remove(id: string): void {
    if (this.takeKept(id)) return;
    const index = this.rows.findIndex((row) => row.message_id === id);
    if (index !== -1) this.take(index);
  }

  /** A message is held from now on. */
  keep(row: QueueMessageRow): void {
    this.kept.set(row.message_id, row);
    this.keptBytes += sizeOf(row);
  }

  takeKept(id: string): QueueMessageRow | undefined {
    const row = this.kept.get(id);
    if (row) {
      this.kept.delete(id);
      this.keptBytes -= sizeOf(row);
    }
    return row;
  }

  /** A message at that position waits, and its body is not in memory. */
  unread(position: number): void {
    this.upto = Math.min(this.upto, position - 1);
    while ((this.rows.at(-1)?.position ?? 0) > this.upto) this.#drop();
  }

  /** Lets go of what memory should not hold: what may not be wanted at all first, then what is wanted last. */
  trim(): void {
    for (const id of this.kept.keys()) {
      if (this.bytes <= bytesMax) return;
      this.takeKept(id);
    }
    while (this.bytes > bytesMax && this.rows.length > 1) {
      this.upto = (this.rows.at(-1)?.position ?? 0) - 1;
      this.#drop();
    }
  }

  /** Nothing of it is wanted. */
  forget(): void {
    this.kept.clear();
    this.rows.length = 0;
    this.rowBytes = 0;
    this.keptBytes = 0;
    this.upto = 0;
  }

  #drop(): void {
    const row = this.rows.pop();
    if (row) this.rowBytes -= sizeOf(row);
  }
}
