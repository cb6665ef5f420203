// Makes the writes of a commit on a connection, within the transaction that is open there.
import type { Batch } from './plan.ts';
import { planWrites } from './plan.ts';
import {
  countedSql,
  countSql,
  deleteSql,
  insertSql,
  keyParameters,
  rowParameters,
  slices,
  toServerTime,
  toServerValue,
  upsertSql,
  type BatchedRow,
  type Parameters,
} from './statements.ts';
import type { ServerRow } from './connection.ts';
import { nearestTime, storableText, storableTime } from '../storable.ts';
import type { AppendedName, Write } from '../storage.ts';
import type { TableName } from '../tables.ts';

/** What runs the statements: a connection within its transaction, with what is left of its time. */
export interface Executor {
  readonly packetBytesMax: number;
  /** Runs a prepared statement. @throws ConnectionLost, or the server's error. */
  execute(sql: string, parameters: Parameters): Promise<ServerRow[]>;
}

type MarkRead = Extract<Write, { op: 'mark_read' }>;
type Append = Extract<Write, { op: 'append' }>;

/**
 * @throws what `execute` does, or a RangeError or TypeError for a value that can't be stored: then some of the writes
 *   may have been made, and more than one of them may be why.
 */
export async function makeWrites(executor: Executor, writes: Iterable<Write>): Promise<void> {
  for (const batch of planWrites(writes)) await makeBatch(executor, batch);
}

async function makeBatch(executor: Executor, batch: Batch): Promise<unknown> {
  const [first] = batch;
  switch (first.op) {
    case 'insert':
      return inSlices(executor, rowsOf(batch), (rows) => insertSql(first.table, rows));
    case 'upsert':
      return inSlices(executor, rowsOf(batch), (rows) => upsertSql(first.table, rows));
    case 'delete':
      return inSlices(executor, keysOf(batch), (rows) => deleteSql(first.table, rows));
    case 'append':
      return append(executor, first.table, batch as readonly Append[]);
    default:
      for (const write of batch) {
        for (const [sql, parameters] of single(write)) await executor.execute(sql, parameters);
      }
      return;
  }
}

const rowsOf = (batch: Batch): Parameters[] =>
  batch.map((write) => {
    const { table, row } = write as Extract<Write, { op: 'insert' }>;
    return rowParameters(table, row as unknown as BatchedRow);
  });

const keysOf = (batch: Batch): Parameters[] =>
  batch.map((write) => {
    const { table, key } = write as Extract<Write, { op: 'delete' }>;
    return keyParameters(table, key);
  });

async function inSlices(
  executor: Executor,
  rows: readonly Parameters[],
  sql: (rows: number) => string,
): Promise<ServerRow[]> {
  const found: ServerRow[] = [];
  for (const slice of slices(rows, executor.packetBytesMax)) {
    found.push(...(await executor.execute(sql(slice.length), slice.flat())));
  }
  return found;
}

/** Counts each stream on by as many as it gets, then looks what that makes of it: its row stays locked until the commit. */
async function append(executor: Executor, table: AppendedName, appends: readonly Append[]): Promise<void> {
  const counts = new Map<string, { readonly epoch: string; count: number }>();
  for (const { stream, epoch } of appends) {
    const counted = counts.get(storableText(stream));
    if (counted) counted.count += 1;
    else counts.set(storableText(stream), { epoch: storableText(epoch), count: 1 });
  }
  // In one order, so that two that append to the same streams don't wait for one another.
  const streams = [...counts].toSorted(([one], [other]) => (one < other ? -1 : 1));
  const added = streams.map(([stream, { epoch, count }]): Parameters => [stream, epoch, count]);
  await inSlices(executor, added, countSql);
  const counted = await inSlices(
    executor,
    streams.map(([stream]) => [stream]),
    countedSql,
  );
  const last = new Map(counted.map(({ stream, seq }) => [stream as string, seq as number]));
  for (const [stream, { count }] of counts) last.set(stream, (last.get(stream) ?? 0) - count);
  const rows = appends.map(({ stream, row }) => {
    const seq = (last.get(storableText(stream)) ?? 0) + 1;
    last.set(storableText(stream), seq);
    return rowParameters(table, { ...row, seq });
  });
  await inSlices(executor, rows, (count) => insertSql(table, count));
}

// Beyond every whole number that is stored: the servers know no infinite ones.
const boundMax = 1e18;

/** A bound of a range, which may be infinite. */
function bound(value: number): number {
  if (Number.isNaN(value)) throw new RangeError('A bound must be a number.');
  return Math.min(Math.max(value, -boundMax), boundMax);
}

/** Writes of many rows, as one statement each or two. */
function single(write: Write): (readonly [sql: string, parameters: Parameters])[] {
  switch (write.op) {
    case 'mark_read':
      return [markRead(write)];
    case 'trim_topic':
      return [
        [trimSql('topic_messages', 'topic = ? AND seq <= ?'), [storableText(write.topic), bound(write.upto)]],
      ];
    case 'trim_inventory':
      return [
        [
          trimSql('inventory_changes', 'stream = ? AND seq <= ?'),
          [storableText(write.stream), bound(write.upto)],
        ],
      ];
    case 'trim_document': {
      const before = 'doc_id = ? AND revision < ?';
      const docId = storableText(write.docId);
      return [
        [trimSql('document_operations', before), [docId, bound(write.operationsBefore)]],
        [trimSql('document_snapshots', before), [docId, bound(write.snapshotsBefore)]],
      ];
    }
    case 'expire': {
      const keysBefore = toServerTime(nearestTime(write.keysBefore));
      return [
        [trimSql('idempotency_keys', 'created_at < ?'), [keysBefore]],
        [trimSql('command_answers', 'created_at < ?'), [keysBefore]],
        [expireTopicsSql, [toServerTime(nearestTime(write.topicsBefore))]],
      ];
    }
    default:
      throw new TypeError(`A ${write.op} is made with others of its table.`);
  }
}

const trimSql = (table: TableName, where: string): string => `DELETE FROM ${table} WHERE ${where}`;

// The messages go with their topic's row, by its foreign key.
const expireTopicsSql = `DELETE FROM topics WHERE coalesce(
  (SELECT message.created_at FROM topic_messages AS message
    WHERE message.topic = topics.topic ORDER BY message.seq DESC LIMIT 1),
  topics.created_at) < ?`;

const markReadSql = `UPDATE chat_messages FORCE INDEX (uk_room_seq) SET status = 'READ', updated_at = ?
  WHERE room_id = ? AND seq > ? AND seq <= ? AND sender_id <> ? AND status <> 'READ'`;

function markRead({ roomId, readerId, after, upto, at }: MarkRead): [string, Parameters] {
  const time = toServerTime(storableTime(at));
  return [
    markReadSql,
    [time, storableText(roomId), bound(after), bound(upto), toServerValue('text', readerId)],
  ];
}
