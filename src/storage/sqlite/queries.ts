// Runs the named queries, each prepared once, and gives their rows as the contract has them.
import { fromIsoTime, toIsoTime } from './iso-time.ts';
import type { ColumnKind } from '../schema.ts';
import type { Connection } from './connection.ts';
import type { Selection } from './selection.ts';
import { selections } from './selections.ts';
import { nearestTime, storableText } from '../storable.ts';
import type { Query, QueryName, Rows } from '../storage.ts';

/** Turns rows as the driver makes them into rows of the contract, in place. */
function decoder(columns: Selection['columns']): (rows: Record<string, unknown>[]) => void {
  const named = (kind: ColumnKind) => Object.keys(columns).filter((column) => columns[column] === kind);
  const times = named('time');
  const booleans = named('boolean');
  return (rows) => {
    for (const row of rows) {
      for (const column of times) {
        const text = row[column];
        if (text !== null) row[column] = fromIsoTime(text as string);
      }
      for (const column of booleans) row[column] = row[column] !== 0;
    }
  };
}

/** Arguments as the driver can bind them: texts that are UTF-8, and times as text. */
function bound(args: object, times: readonly string[]): Record<string, string | number> {
  const values: Record<string, string | number> = {};
  for (const [name, value] of Object.entries(args) as [string, string | number][]) {
    if (typeof value === 'string') values[name] = storableText(value);
    else values[name] = times.includes(name) ? toIsoTime(nearestTime(value)) : value;
  }
  return values;
}

type Run = (args: object) => Record<string, unknown>[];

function prepare(connection: Connection, { sql, columns, times = [] }: Selection): Run {
  const statement = connection.prepare<[object], Record<string, unknown>>(sql);
  const decode = decoder(columns);
  return (args) => {
    const rows = statement.all(bound(args, times));
    decode(rows);
    return rows;
  };
}

export class SqliteQueries {
  readonly #runs: ReadonlyMap<string, Run>;

  /** @throws the driver's error when a table or a column is missing. */
  constructor(connection: Connection) {
    const runs = new Map<string, Run>();
    for (const [name, selection] of Object.entries(selections))
      runs.set(name, prepare(connection, selection));
    this.#runs = runs;
  }

  /** @throws the driver's error. */
  run<Name extends QueryName>(query: Query<Name>): Rows<Name> {
    const run = this.#runs.get(query.name);
    if (!run) throw new TypeError(`There is no query ${query.name}.`);
    return run(query.args) as unknown as Rows<Name>;
  }
}
