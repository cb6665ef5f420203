// Runs the named queries and gives their rows as the contract has them.
import type { Selection } from '../sqlite/selection.ts';
import { nearestTime, storableText } from '../storable.ts';
import type { Query, QueryName, Rows } from '../storage.ts';
import type { MysqlLink } from './link.ts';
import { selections } from './selections.ts';
import { fromValue, toBound, toDateTime, type Value } from './values.ts';

interface Prepared {
  readonly sql: string;
  /** Names of the arguments in the order of their places; one may come more than once. */
  readonly names: readonly string[];
  readonly selection: Selection;
}

const prepared = new Map<string, Prepared>(
  Object.entries(selections).map(([name, selection]: [string, Selection]) => {
    const names: string[] = [];
    const sql = selection.sql.replaceAll(/:([a-zA-Z]+)/g, (_place, argument: string) => {
      names.push(argument);
      return '?';
    });
    return [name, { sql, names, selection }];
  }),
);

function bound(name: string, value: unknown, times: readonly string[]): Value {
  if (typeof value === 'string') return storableText(value);
  const number = value as number;
  if (times.includes(name)) return toDateTime(nearestTime(number));
  // As text: the driver sends numbers as fractions, and a limit is none.
  if (name === 'limit') return String(Math.max(0, toBound(number)));
  return toBound(number);
}

/** @throws the driver's error, or TypeError when there is no such query. */
export async function queryMysql<Name extends QueryName>(
  link: MysqlLink,
  query: Query<Name>,
): Promise<Rows<Name>> {
  const found = prepared.get(query.name);
  if (!found) throw new TypeError(`There is no query ${query.name}.`);
  const { sql, names, selection } = found;
  const args = query.args as Readonly<Record<string, unknown>>;
  const values = names.map((name) => bound(name, args[name], selection.times ?? []));
  const { rows } = await link.execute(sql, values);
  const columns = Object.entries(selection.columns);
  return rows.map((row) =>
    Object.fromEntries(columns.map(([column, kind]) => [column, fromValue(kind, row[column])])),
  ) as unknown as Rows<Name>;
}
