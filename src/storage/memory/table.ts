// One table in memory: rows by key, in groups that are kept in order, with every change undoable.
import { storableText, storableTime } from '../storable.ts';
import { StorageError } from '../storage.ts';
import type { ColumnKind, TableSchema } from '../schema.ts';

/** Puts things back as they were; run newest first. */
export type Undo = () => void;

type Compare<Row> = (one: Row, other: Row) => number;

/** Rows that share a value, in order. */
export class Groups<Row> {
  readonly #rows = new Map<string, Row[]>();
  readonly #groupOf: (row: Row) => string;
  readonly #compare: Compare<Row>;

  constructor(groupOf: (row: Row) => string, compare: Compare<Row>) {
    this.#groupOf = groupOf;
    this.#compare = compare;
  }

  /** The group's rows in order. Must not be changed, and holds only until the next change of the table. */
  of(group: string): readonly Row[] {
    return this.#rows.get(storableText(group)) ?? [];
  }

  /** Whether a row stands at this one's place already. */
  taken(row: Row): boolean {
    const rows = this.of(this.#groupOf(row));
    const found = rows[firstIndex(rows, (other) => this.#compare(other, row) >= 0)];
    return found !== undefined && this.#compare(found, row) === 0;
  }

  add(row: Row): void {
    const group = this.#groupOf(row);
    const rows = this.#rows.get(group);
    if (rows)
      rows.splice(
        firstIndex(rows, (other) => this.#compare(other, row) > 0),
        0,
        row,
      );
    else this.#rows.set(group, [row]);
  }

  remove(row: Row): void {
    const group = this.#groupOf(row);
    const rows = this.#rows.get(group) ?? [];
    rows.splice(
      rows.indexOf(
        row,
        firstIndex(rows, (other) => this.#compare(other, row) >= 0),
      ),
      1,
    );
    if (rows.length === 0) this.#rows.delete(group);
  }
}

/** Where `holds` begins to be true, given that it stays so; the length when it never does. */
export function firstIndex<Row>(rows: readonly Row[], holds: (row: Row) => boolean): number {
  let low = 0;
  let high = rows.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (holds(rows[middle] as Row)) high = middle;
    else low = middle + 1;
  }
  return low;
}

interface MemoryTableOptions<Row> {
  /** Groups whose order has one row per place: a second key. */
  readonly unique?: readonly Groups<Row>[];
  readonly groups?: readonly Groups<Row>[];
}

export class MemoryTable<Row> {
  readonly #name: string;
  readonly #schema: TableSchema<Row>;
  readonly #unique: readonly Groups<Row>[];
  readonly #groups: readonly Groups<Row>[];
  readonly #rows = new Map<string, Row>();

  constructor(name: string, schema: TableSchema<Row>, options: MemoryTableOptions<Row> = {}) {
    this.#name = name;
    this.#schema = schema;
    this.#unique = options.unique ?? [];
    this.#groups = [...this.#unique, ...(options.groups ?? [])];
  }

  get(key: Partial<Row>): Row | undefined {
    return this.#rows.get(this.#nameOf(key));
  }

  rows(): Iterable<Row> {
    return this.#rows.values();
  }

  /** @throws StorageError with reason CONSTRAINT when a key is taken. */
  insert(row: Row, undo: Undo[]): void {
    const kept = this.#copy(row);
    if (this.get(kept)) throw this.#taken();
    this.#add(kept, undo);
  }

  /** @throws StorageError with reason CONSTRAINT when another row has its second key. */
  upsert(row: Row, undo: Undo[]): void {
    const kept = this.#copy(row);
    const replaced = this.get(kept);
    if (replaced) this.#remove(replaced, undo);
    this.#add(kept, undo);
  }

  /** @returns whether there was such a row. */
  delete(key: Partial<Row>, undo: Undo[]): boolean {
    const row = this.get(key);
    if (row) this.#remove(row, undo);
    return row !== undefined;
  }

  #add(row: Row, undo: Undo[]): void {
    if (this.#unique.some((groups) => groups.taken(row))) throw this.#taken();
    this.#put(row);
    undo.push(() => this.#take(row));
  }

  #remove(row: Row, undo: Undo[]): void {
    this.#take(row);
    undo.push(() => this.#put(row));
  }

  #put(row: Row): void {
    this.#rows.set(this.#nameOf(row), row);
    for (const groups of this.#groups) groups.add(row);
  }

  #take(row: Row): void {
    this.#rows.delete(this.#nameOf(row));
    for (const groups of this.#groups) groups.remove(row);
  }

  #nameOf(key: Partial<Row>): string {
    const values = this.#schema.key.map((column) => {
      const value = key[column];
      if (value === undefined) throw new TypeError(`A row of ${this.#name} is named by its ${column} too.`);
      return typeof value === 'string' ? storableText(value) : value;
    });
    return JSON.stringify(values);
  }

  /** What a database would give back: the caller's row and its bytes can change afterwards. */
  #copy(row: Row): Row {
    const copy: Partial<Row> = {};
    for (const [column, kind] of Object.entries(this.#schema.columns) as [keyof Row, ColumnKind][]) {
      copy[column] = storable(kind, row[column]) as Row[typeof column];
    }
    return copy as Row;
  }

  #taken(): StorageError {
    return new StorageError('CONSTRAINT', `A row of ${this.#name} with that key is there.`);
  }
}

function storable(kind: ColumnKind, value: unknown): unknown {
  if (value === null) return null;
  switch (kind) {
    case 'text':
      return storableText(value as string);
    case 'time':
      return storableTime(value as number);
    case 'bytes':
      return Buffer.from(value as Uint8Array);
    default:
      return value;
  }
}
