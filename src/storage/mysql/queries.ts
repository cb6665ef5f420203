// Runs the named queries on a connection, and gives their rows as the contract has them.
import type { Connection, ServerRow } from './connection.ts';
import { missedColumns, missedSince, type MissedArguments } from './missed.ts';
import { mysqlSelections } from './selections.ts';
import { toServerTime } from './statements.ts';
import { fromIsoTime } from '../sql/iso-time.ts';
import { boundArguments, type Selection } from '../sql/selection.ts';
import { rowDecoder, type Value } from '../sql/value.ts';
import { compareText } from '../storable.ts';
import type { Query, QueryName, Rows } from '../storage.ts';
import type { ChatMessageRow } from '../tables.ts';

const decoders = {
  // Sums come as decimals, in a text.
  integer: Number,
  boolean: (value: unknown) => value !== 0,
  time: (text: unknown) => fromIsoTime(text as string),
  // A copy: the driver's own is a part of all that came in with it, and would keep that for as long as it is kept.
  bytes: (bytes: unknown) => Buffer.from(bytes as Uint8Array),
};

type Run = (connection: Connection, args: object, limitMs: number) => Promise<ServerRow[]>;

/** Parameters by name, as in `:roomId`, in the way that the servers know: by place. */
function placed(sql: string): { readonly sql: string; readonly names: readonly string[] } {
  const names: string[] = [];
  const found = sql.replaceAll(/:(\w+)/g, (_, name: string) => {
    names.push(name);
    return '?';
  });
  return { sql: found, names };
}

function prepare({ sql: named, columns, times = [] }: Selection): Run {
  const { sql, names } = placed(named);
  const decode = rowDecoder(columns, decoders);
  return async (connection, args, limitMs) => {
    const values = boundArguments(args, times, toServerTime);
    const rows = await connection.execute(
      sql,
      names.map((name) => values[name] ?? null),
      limitMs,
    );
    decode(rows);
    return rows;
  };
}

const decodeMissed = rowDecoder(missedColumns, decoders);

const compareMissed = (one: ChatMessageRow, other: ChatMessageRow): number =>
  one.created_at - other.created_at || compareText(one.room_id, other.room_id) || one.seq - other.seq;

async function runMissed(connection: Connection, args: object, limitMs: number): Promise<ServerRow[]> {
  const bound = boundArguments(args, ['since'], toServerTime) as unknown as MissedArguments;
  const execute = (sql: string, values: readonly Value[]) => connection.execute(sql, values, limitMs);
  const pages = await missedSince(execute, bound);
  const rows = pages.flat();
  decodeMissed(rows);
  if (pages.length > 1) (rows as unknown as ChatMessageRow[]).sort(compareMissed);
  return rows.slice(0, bound.limit);
}

const runs: ReadonlyMap<string, Run> = new Map([
  ...Object.entries(mysqlSelections).map(([name, selection]): [string, Run] => [name, prepare(selection)]),
  ['missedSince', runMissed],
]);

/** @throws ConnectionLost, or the server's error. */
export async function runQuery<Name extends QueryName>(
  connection: Connection,
  query: Query<Name>,
  limitMs: number,
): Promise<Rows<Name>> {
  const run = runs.get(query.name);
  if (!run) throw new TypeError(`There is no query ${query.name}.`);
  return (await run(connection, query.args, limitMs)) as unknown as Rows<Name>;
}
