// The shared memory of all that a node counts, and its text for Prometheus (text format 0.0.4).
import { cellsOf, countsAt, type CountsOf, type Metric, type Metrics, type Single } from './metrics.ts';

/** Rows begin on lines of the processor's cache of their own, so that threads do not slow each other. */
const rowStep = 16;

/** A number that is known without counting, such as the memory of the process. */
export interface Reading {
  readonly name: string;
  readonly help: string;
  readonly type: 'counter' | 'gauge';
  readonly value: number;
  readonly labels?: Readonly<Record<string, string>>;
}

const escapes: Readonly<Record<string, string>> = {
  '\\': String.raw`\\`,
  '"': String.raw`\"`,
  '\n': String.raw`\n`,
};

function line(name: string, labels: Readonly<Record<string, string>>, value: number): string {
  const pairs = Object.entries(labels).map(
    ([label, text]) => `${label}="${text.replaceAll(/[\\"\n]/g, (one) => escapes[one] ?? one)}"`,
  );
  return `${name}${pairs.length > 0 ? `{${pairs.join(',')}}` : ''} ${value}`;
}

function head(name: string, type: string, help: string): string[] {
  return [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`];
}

export class MetricBoard<Tables extends Readonly<Record<string, Metrics>>> {
  /** Hand it to the threads: a board made with it shows and counts the same numbers. */
  readonly memory: SharedArrayBuffer;
  readonly #tables: Tables;
  readonly #threads: readonly string[];
  readonly #cells: Float64Array;
  readonly #rowCells: number;

  /** @param threads names of the threads, each of which has a row. */
  constructor(tables: Tables, threads: readonly string[], memory?: SharedArrayBuffer) {
    this.#tables = tables;
    this.#threads = threads;
    const cells = this.#metrics().reduce((sum, metric) => sum + cellsOf(metric), 0);
    this.#rowCells = Math.ceil(cells / rowStep) * rowStep;
    this.memory =
      memory ?? new SharedArrayBuffer(this.#rowCells * threads.length * Float64Array.BYTES_PER_ELEMENT);
    this.#cells = new Float64Array(this.memory);
  }

  /**
   * What a thread counts with. Counters go on where a thread of that name left off, gauges start at 0.
   *
   * @throws RangeError when there is no thread of that name.
   */
  countsOf(thread: string): { readonly [Name in keyof Tables]: CountsOf<Tables[Name]> } {
    const row = this.#threads.indexOf(thread);
    if (row === -1) throw new RangeError(`no thread is called ${thread}`);
    let place = row * this.#rowCells;
    const tables = Object.entries(this.#tables).map(([name, table]) => {
      const counts = countsAt(table, this.#cells, place);
      for (const metric of Object.values(table)) {
        if (metric.type === 'gauge') this.#cells[place] = 0;
        place += cellsOf(metric);
      }
      return [name, counts];
    });
    return Object.fromEntries(tables) as { readonly [Name in keyof Tables]: CountsOf<Tables[Name]> };
  }

  /** A metric of each thread. */
  values(metric: Single): number[] {
    const place = this.#placeOf(metric);
    return this.#threads.map((_, row) => this.#at(row, place));
  }

  /** The sum of a metric over all threads. */
  total(metric: Single): number {
    return this.values(metric).reduce((sum, value) => sum + value, 0);
  }

  /** Everything counted, and the readings, as text. */
  text(readings: readonly Reading[]): string {
    const listed = this.#metrics().filter((metric) => !('isUnlisted' in metric && metric.isUnlisted));
    const lines = listed.flatMap((metric) => [
      ...head(metric.name, metric.type === 'labelled' ? 'counter' : metric.type, metric.help),
      ...this.#linesOf(metric),
    ]);
    for (const { name, type, help, labels, value } of readings) {
      lines.push(...head(name, type, help), line(name, labels ?? {}, value));
    }
    return `${lines.join('\n')}\n`;
  }

  #linesOf(metric: Metric): string[] {
    const { name } = metric;
    const place = this.#placeOf(metric);
    const sum = (offset: number): number =>
      this.#threads.reduce((all, _, row) => all + this.#at(row, place + offset), 0);
    switch (metric.type) {
      case 'labelled':
        return metric.values.map((value, index) => line(name, { [metric.label]: value }, sum(index)));
      case 'histogram': {
        let count = 0;
        const buckets = [...metric.bounds, Number.POSITIVE_INFINITY].map((bound, index) => {
          count += sum(index);
          return line(
            `${name}_bucket`,
            { le: bound === Number.POSITIVE_INFINITY ? '+Inf' : `${bound}` },
            count,
          );
        });
        const total = line(`${name}_sum`, {}, sum(metric.bounds.length + 1));
        return [...buckets, total, line(`${name}_count`, {}, count)];
      }
      case 'counter':
      case 'gauge':
        if (metric.perThread !== true) return [line(name, {}, sum(0))];
        return this.#threads.map((thread, row) => line(name, { thread }, this.#at(row, place)));
    }
  }

  #metrics(): Metric[] {
    return Object.values(this.#tables).flatMap((table) => Object.values(table));
  }

  #placeOf(metric: Metric): number {
    const all = this.#metrics();
    return all.slice(0, all.indexOf(metric)).reduce((sum, one) => sum + cellsOf(one), 0);
  }

  #at(row: number, place: number): number {
    return this.#cells[row * this.#rowCells + place] ?? 0;
  }
}
