// What one write does to the rows of others, as far as it matters for which of two writes comes first.
import { schemas, type TableSchema } from '../schema.ts';
import { storableText } from '../storable.ts';
import type { Write } from '../storage.ts';
import type { TableName } from '../tables.ts';

type Row = Readonly<Record<string, unknown>>;

export interface Effects {
  /** Things that it makes, changes or removes: rows, and groups of rows. */
  readonly sets: readonly string[];
  /** Things that it relies on, which others may rely on too. */
  readonly needs: readonly string[];
  /** Tables of which it uses rows or makes them. */
  readonly uses: readonly TableName[];
  /** The table where it takes a key and a place. */
  readonly takes?: TableName;
  /** Tables where it may give up keys or places that it does not name. */
  readonly frees: readonly TableName[];
  /** Tables of which it may remove any row. */
  readonly sweeps: readonly TableName[];
}

const none: Omit<Effects, 'sets' | 'uses'> = { needs: [], frees: [], sweeps: [] };

/** By which column some writes change many rows at once: `mark_read`, the trims, and `append` for the next seq. */
const groupColumns: { readonly [Name in TableName]?: string } = {
  chat_messages: 'room_id',
  topic_messages: 'topic',
  inventory_changes: 'stream',
  document_operations: 'doc_id',
  document_snapshots: 'doc_id',
};

const schemaOf = (table: TableName) => schemas[table] as TableSchema<Record<string, unknown>>;

const childrenOf = (parent: TableName): readonly TableName[] =>
  (Object.keys(schemas) as TableName[]).filter((table) => schemaOf(table).parent === parent);

const children = new Map((Object.keys(schemas) as TableName[]).map((table) => [table, childrenOf(table)]));

const text = (value: unknown): unknown => (typeof value === 'string' ? storableText(value) : value);

const thing = (kind: string, values: readonly unknown[]): string =>
  JSON.stringify([kind, ...values.map(text)]);

const rowOf = (table: TableName, row: Row): string =>
  thing(
    table,
    schemaOf(table).key.map((column) => row[column]),
  );

const groupOf = (table: TableName, value: unknown): string => thing(`${table} of`, [value]);

/** The row that a row goes with, and the group that it is in. */
function neededBy(table: TableName, row: Row): string[] {
  const { parent } = schemaOf(table);
  const group = groupColumns[table];
  const needs = parent === undefined ? [] : [rowOf(parent, row)];
  if (group !== undefined) needs.push(groupOf(table, row[group]));
  return needs;
}

function effectsOfRow(table: TableName, row: Row, replaces: boolean): Effects {
  const { place } = schemaOf(table);
  // A row that is replaced may have stood at another place. The place that a row takes is not told: two that take the
  // same one are refused in either order.
  const frees = place && replaces ? [table] : [];
  return {
    ...none,
    sets: [rowOf(table, row)],
    needs: neededBy(table, row),
    uses: [table],
    takes: table,
    frees,
  };
}

function effectsOfDelete(table: TableName, key: Row): Effects {
  const { place, key: columns } = schemaOf(table);
  const group = groupColumns[table];
  return {
    ...none,
    sets: [rowOf(table, key)],
    needs: group !== undefined && columns.includes(group) ? [groupOf(table, key[group])] : [],
    uses: [table],
    frees: [...(place ? [table] : []), ...(children.get(table) ?? [])],
  };
}

export function effectsOf(write: Write): Effects {
  switch (write.op) {
    case 'insert':
    case 'upsert':
      return effectsOfRow(write.table, write.row as unknown as Row, write.op === 'upsert');
    case 'delete':
      return effectsOfDelete(write.table, write.key);
    case 'append': {
      const { table, stream } = write;
      // Its key is known but for the seq: then it may be any row of its group.
      const own =
        write.table === 'inventory_changes'
          ? groupOf(write.table, write.row.stream)
          : rowOf(write.table, write.row as unknown as Row);
      return { ...none, sets: [thing('streams', [stream]), own], uses: [table, 'streams'], takes: table };
    }
    case 'mark_read':
      return { ...none, sets: [groupOf('chat_messages', write.roomId)], uses: ['chat_messages'] };
    case 'trim_topic':
      return { ...none, sets: [groupOf('topic_messages', write.topic)], uses: ['topic_messages'] };
    case 'trim_inventory':
      return { ...none, sets: [groupOf('inventory_changes', write.stream)], uses: ['inventory_changes'] };
    case 'trim_document': {
      const uses = ['document_operations', 'document_snapshots'] as const;
      return { ...none, sets: uses.map((table) => groupOf(table, write.docId)), uses };
    }
    case 'expire': {
      const sweeps = ['idempotency_keys', 'command_answers', 'topics', 'topic_messages'] as const;
      return { ...none, sets: [], uses: sweeps, sweeps };
    }
  }
}
