// The named queries as SQLite statements, each prepared once, and their rows as the contract has them.
import { fromIsoTime, toIsoTime } from './iso-time.ts';
import type { Connection } from './sqlite-connection.ts';
import { nearestTime, storableText } from './storable.ts';
import type { Query, QueryName, Rows } from './storage.ts';
import { tables, type ColumnKind, type TableName } from './tables.ts';

interface Selection {
  /** Parameters are named as the query's arguments are. */
  readonly sql: string;
  readonly columns: Readonly<Record<string, ColumnKind>>;
}

function select(table: TableName, rest: string): Selection {
  const columns = tables[table].columns;
  return { sql: `SELECT ${Object.keys(columns).join(', ')} FROM ${table} ${rest}`, columns };
}

// SQLite takes a limit below zero for none at all.
const limited = 'LIMIT max(:limit, 0)';

const selections: { readonly [Name in QueryName]: Selection } = {
  room: select('chat_rooms', 'WHERE room_id = :roomId'),
  roomMembers: select('chat_room_members', 'WHERE room_id = :roomId ORDER BY joined_at, user_id'),
  roomReadPositions: select('chat_read_positions', 'WHERE room_id = :roomId ORDER BY user_id'),
  roomHead: {
    sql: 'SELECT coalesce(max(seq), 0) AS seq FROM chat_messages WHERE room_id = :roomId',
    columns: { seq: 'integer' },
  },
  roomMessagesBefore: select(
    'chat_messages',
    `WHERE room_id = :roomId AND seq < :before ORDER BY seq DESC ${limited}`,
  ),
  roomMessagesAfter: select(
    'chat_messages',
    `WHERE room_id = :roomId AND seq > :after ORDER BY seq ${limited}`,
  ),
  roomMessageSeq: {
    sql: 'SELECT seq FROM chat_messages WHERE message_id = :messageId AND room_id = :roomId',
    columns: { seq: 'integer' },
  },
  roomsOfUser: {
    sql: `SELECT ${Object.keys(tables.chat_rooms.columns)
      .map((column) => `room.${column}`)
      .join(', ')}, member.role
      FROM chat_room_members AS member JOIN chat_rooms AS room ON room.room_id = member.room_id
      WHERE member.user_id = :userId ORDER BY room.created_at, room.room_id`,
    columns: { ...tables.chat_rooms.columns, role: 'text' },
  },
  topicHead: {
    // Two subqueries, because one `min(seq), max(seq)` would read every message of the topic.
    sql: `SELECT epoch,
        coalesce((SELECT min(seq) FROM topic_messages WHERE topic = :topic), 1) AS oldest,
        coalesce((SELECT max(seq) FROM topic_messages WHERE topic = :topic), 0) AS newest
      FROM topics WHERE topic = :topic`,
    columns: { epoch: 'text', oldest: 'integer', newest: 'integer' },
  },
  topicMessagesAfter: select(
    'topic_messages',
    `WHERE topic = :topic AND seq > :after ORDER BY seq ${limited}`,
  ),
  durablePosition: select(
    'durable_positions',
    'WHERE user_id = :userId AND name = :name AND destination = :destination',
  ),
  idempotencyKeys: select(
    'idempotency_keys',
    `WHERE actor = :actor AND created_at >= :since
      ORDER BY created_at DESC, command, user_id, idempotency_key ${limited}`,
  ),
  idempotencyKey: select(
    'idempotency_keys',
    `WHERE actor = :actor AND command = :command AND user_id = :userId AND idempotency_key = :idempotencyKey
      AND created_at >= :since`,
  ),
};

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

/** Arguments as the driver can bind them: texts that are UTF-8, and `since`, the one time among them, as text. */
function bound(args: object): Record<string, string | number> {
  const values: Record<string, string | number> = {};
  for (const [name, value] of Object.entries(args) as [string, string | number][]) {
    if (typeof value === 'string') values[name] = storableText(value);
    else values[name] = name === 'since' ? toIsoTime(nearestTime(value)) : value;
  }
  return values;
}

type Run = (args: object) => Record<string, unknown>[];

export class SqliteQueries {
  readonly #runs: ReadonlyMap<string, Run>;

  /** @throws the driver's error when a table or a column is missing. */
  constructor(connection: Connection) {
    const runs = new Map<string, Run>();
    for (const [name, { sql, columns }] of Object.entries(selections)) {
      const statement = connection.prepare<[object], Record<string, unknown>>(sql);
      const decode = decoder(columns);
      runs.set(name, (args) => {
        const rows = statement.all(args);
        decode(rows);
        return rows;
      });
    }
    this.#runs = runs;
  }

  /** @throws the driver's error. */
  run<Name extends QueryName>(query: Query<Name>): Rows<Name> {
    const run = this.#runs.get(query.name);
    if (!run) throw new TypeError(`There is no query ${query.name}.`);
    return run(bound(query.args)) as unknown as Rows<Name>;
  }
}
