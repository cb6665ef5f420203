// Ids of the reference's tables become exact. Its collation takes `Alice` and `alice`, and `a` and `a `, for one id:
// whoever is called nearly as someone else would be let into that one's rooms. Types and lengths stay. Migrations that
// are released use this: its text never changes.
import type { FoundReference, FoundSchema } from '../found-schema.ts';
import { refused } from './migration.ts';

/** The columns that are keys or are compared, with the type that a new database has. */
const ids: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  chat_rooms: { room_id: 'VARCHAR(36)', created_by: 'VARCHAR(36)' },
  chat_room_members: { room_id: 'VARCHAR(36)', user_id: 'VARCHAR(36)' },
  chat_messages: { message_id: 'VARCHAR(36)', room_id: 'VARCHAR(36)', sender_id: 'VARCHAR(36)' },
  notifications: { notification_id: 'VARCHAR(36)', user_id: 'VARCHAR(36)', reference_id: 'VARCHAR(36)' },
};
const nullable = 'reference_id';
const ofRooms = ['chat_room_members', 'chat_messages'] as const;

/** A type of text, compared exactly. */
export const exact = (found: FoundSchema, type: string) =>
  `${type} CHARACTER SET utf8mb4 COLLATE ${found.exactCollation}`;

function isInexact(found: FoundSchema, table: string, column: string): boolean {
  return found.column(table, column)?.collation !== found.exactCollation;
}

function inexactIds(found: FoundSchema, table: string): string[] {
  return Object.keys(ids[table] ?? {}).filter((column) => isInexact(found, table, column));
}

/** Changes of a table that make its ids exact: parts of an ALTER TABLE, none when they are. */
export function exactIds(found: FoundSchema, table: string): string[] {
  return inexactIds(found, table).map((column) => {
    const made = found.column(table, column);
    const type = exact(found, made?.type.toUpperCase() ?? ids[table]?.[column] ?? '');
    return `MODIFY ${column} ${type} ${(made?.isNullable ?? column === nullable) ? 'NULL' : 'NOT NULL'}`;
  });
}

const isOfRoom = (reference: FoundReference) =>
  reference.schema === reference.toSchema &&
  ofRooms.some((table) => table === reference.table) &&
  reference.column === 'room_id' &&
  reference.toTable === 'chat_rooms' &&
  reference.toColumn === 'room_id';

/** @throws StorageError when foreign keys that are not the reference's hold an id as it is. */
export function assertFree(found: FoundSchema): void {
  const holding = found.references.filter(
    (reference) =>
      !isOfRoom(reference) &&
      ((reference.schema === found.database &&
        inexactIds(found, reference.table).includes(reference.column)) ||
        (reference.toSchema === found.database &&
          inexactIds(found, reference.toTable).includes(reference.toColumn))),
  );
  if (holding.length === 0) return;
  const names = holding.map(({ schema, table, name, column }) => `${name} of ${schema}.${table} (${column})`);
  throw refused(
    `The ids of ${found.database} can't be made exact, as foreign keys hold them as they are: ${names.join(', ')}. ` +
      'Nothing was changed. Drop these foreign keys, or give Stagewire another database.',
  );
}

/** Whether a table's reference to its rooms must go while ids change. */
function isInTheWay(found: FoundSchema, table: string): boolean {
  return isInexact(found, 'chat_rooms', 'room_id') || isInexact(found, table, 'room_id');
}

export function dropReferencesToRooms(found: FoundSchema): string[] {
  return ofRooms
    .filter((table) => isInTheWay(found, table))
    .flatMap((table) => {
      const names = found.columns(table) === null ? [nameOf(table)] : namesOf(found, table);
      return names.map((name) => `ALTER TABLE ${table} DROP FOREIGN KEY \`${name}\``);
    });
}

/** The reference from a table to its rooms, where it is gone or about to be: parts of an ALTER TABLE. */
export function referenceToRooms(found: FoundSchema, table: (typeof ofRooms)[number]): string[] {
  const [name] = namesOf(found, table);
  if (name !== undefined && !isInTheWay(found, table)) return [];
  return [
    `ADD CONSTRAINT \`${name ?? nameOf(table)}\` FOREIGN KEY (room_id) REFERENCES chat_rooms (room_id) ON DELETE CASCADE`,
  ];
}

const nameOf = (table: string) => `${table}_ibfk_1`;

function namesOf(found: FoundSchema, table: string): string[] {
  return found.references.filter((each) => isOfRoom(each) && each.table === table).map(({ name }) => name);
}
