// Numbers that the threads of a node count and any of them can read: each thread adds in a row of its own of one shared
// memory, and whoever is asked sums the rows up. So counting is one addition, and nobody waits for anybody.

/** A number of one thread. Only its own thread writes it. */
export class Count {
  readonly #cells: Float64Array;
  readonly #place: number;

  constructor(cells: Float64Array, place: number) {
    this.#cells = cells;
    this.#place = place;
  }

  get value(): number {
    return this.#cells[this.#place] ?? 0;
  }

  add(amount = 1): void {
    this.#cells[this.#place] = this.value + amount;
  }

  set(value: number): void {
    this.#cells[this.#place] = value;
  }
}

/** How often values of each size came: a count for each bound, one above all, and their sum. */
export class Histogram {
  readonly #counts: readonly Count[];
  readonly #sum: Count;
  readonly #bounds: readonly number[];

  constructor(bounds: readonly number[], counts: readonly Count[], sum: Count) {
    this.#bounds = bounds;
    this.#counts = counts;
    this.#sum = sum;
  }

  observe(value: number): void {
    const found = this.#bounds.findIndex((bound) => value <= bound);
    this.#counts[found === -1 ? this.#bounds.length : found]?.add();
    this.#sum.add(value);
  }
}

interface Described {
  /** Ends in its unit, a counter in `_total`. */
  readonly name: string;
  readonly help: string;
  /** Each thread's number stands alone, under its name. */
  readonly perThread?: boolean;
  /** Threads tell each other, and nobody else. */
  readonly isUnlisted?: boolean;
}

export interface Single extends Described {
  readonly type: 'counter' | 'gauge';
}

/** A counter for each value of a label. */
export interface Labelled<Value extends string = string> extends Described {
  readonly type: 'labelled';
  readonly label: string;
  readonly values: readonly Value[];
}

export interface Buckets extends Described {
  readonly type: 'histogram';
  /** Upper bounds, growing. */
  readonly bounds: readonly number[];
}

export type Metric = Single | Labelled | Buckets;
export type Metrics = Readonly<Record<string, Metric>>;

/** What a thread counts with, for a table of metrics. */
export type CountsOf<Table extends Metrics> = {
  readonly [Name in keyof Table]: Table[Name] extends Labelled<infer Value>
    ? Readonly<Record<Value, Count>>
    : Table[Name] extends Buckets
      ? Histogram
      : Count;
};

export const counter = (name: string, help: string): Single => ({ type: 'counter', name, help });
export const gauge = (name: string, help: string): Single => ({ type: 'gauge', name, help });

export function labelled<const Value extends string>(
  name: string,
  help: string,
  [label, values]: readonly [label: string, values: readonly Value[]],
): Labelled<Value> {
  return { type: 'labelled', name, help, label, values };
}

export const histogram = (name: string, help: string, bounds: readonly number[]): Buckets => ({
  type: 'histogram',
  name,
  help,
  bounds,
});

/** The same metric with each thread's number alone. */
export const perThread = (metric: Single): Single => ({ ...metric, perThread: true });

/** The same metric for the threads alone: its text shows it in no form, or in another one. */
export const unlisted = (metric: Single): Single => ({ ...metric, isUnlisted: true });

/** Cells of a row that a metric takes. */
export function cellsOf(metric: Metric): number {
  switch (metric.type) {
    case 'labelled':
      return metric.values.length;
    case 'histogram':
      return metric.bounds.length + 2;
    case 'counter':
    case 'gauge':
      return 1;
  }
}

/** Counts for a table whose cells lie one after the other from `start` on. */
export function countsAt<Table extends Metrics>(
  table: Table,
  cells: Float64Array,
  start: number,
): CountsOf<Table> {
  let place = start;
  const made = Object.entries(table).map(([name, metric]): [string, unknown] => {
    const first = place;
    place += cellsOf(metric);
    const count = (offset: number): Count => new Count(cells, first + offset);
    switch (metric.type) {
      case 'labelled':
        return [name, Object.fromEntries(metric.values.map((value, index) => [value, count(index)]))];
      case 'histogram': {
        const counts = Array.from({ length: metric.bounds.length + 1 }, (_, index) => count(index));
        return [name, new Histogram(metric.bounds, counts, count(counts.length))];
      }
      case 'counter':
      case 'gauge':
        return [name, count(0)];
    }
  });
  return Object.fromEntries(made) as CountsOf<Table>;
}

/** Counts that nobody else reads. */
export function countsAlone<Table extends Metrics>(table: Table): CountsOf<Table> {
  const length = Object.values(table).reduce((sum, metric) => sum + cellsOf(metric), 0);
  return countsAt(table, new Float64Array(length), 0);
}
