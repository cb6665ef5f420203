// What the queries read, as SQLite plans them: no table grows so large that a query of one room, user or document slows.
import Driver from 'better-sqlite3';
import { expect, it } from 'vitest';
import { sqliteSelections } from '../../src/storage/sqlite/selections.ts';
import { newDatabase, removeFilesAfterwards } from './database-file.ts';

removeFilesAfterwards();

/** The lines of each query's plan. */
function plans(): Map<string, string[]> {
  const database = new Driver(newDatabase(), { readonly: true });
  const found = Object.entries(sqliteSelections).map(([name, { sql }]): [string, string[]] => {
    const parameters = [...sql.matchAll(/:(\w+)/g)].map(([, parameter]) => [parameter, 1]);
    const plan = database.prepare<[object], { detail: string }>(`EXPLAIN QUERY PLAN ${sql}`);
    return [name, plan.all(Object.fromEntries(parameters)).map(({ detail }) => detail)];
  });
  database.close();
  return new Map(found);
}

it('[STORE46] no query reads a whole table, but that of all prices', () => {
  const reading = [...plans()].filter(([, plan]) => plan.some((line) => /^SCAN (?!CONSTANT|\()/.test(line)));
  expect(reading.map(([name]) => name)).toEqual(['prices']);
});

it('[STORE46] only queries whose rows are few or all wanted sort them: the others end at their limit', () => {
  const sorting = [...plans()].filter(([, plan]) => plan.some((line) => line.includes('TEMP B-TREE')));
  expect(sorting.map(([name]) => name).toSorted((one, other) => (one < other ? -1 : 1))).toEqual([
    'idempotencyKeys',
    'missedSince',
    'roomMembers',
    'roomsOfUser',
  ]);
});

it('[STORE46] unread notifications are found by an index that holds them in order', () => {
  expect(plans().get('notifications')).toContain(
    'SEARCH notifications USING INDEX idx_user_unread (user_id=? AND is_read=?)',
  );
});

it('[STORE46] what was missed is read from where each room is walked back to, in the order of its seqs', () => {
  const searches = plans()
    .get('missedSince')
    ?.filter((line) => line.startsWith('SEARCH'));
  // The last is the walk: it has no bound but the room and, as nothing sorts within it, ends at its first hit.
  expect(searches).toEqual([
    'SEARCH member USING INDEX idx_user_id (user_id=?)',
    'SEARCH message USING INDEX sqlite_autoindex_chat_messages_2 (room_id=? AND seq>?)',
    'SEARCH older USING INDEX sqlite_autoindex_chat_messages_2 (room_id=?)',
  ]);
  expect(
    plans()
      .get('missedSince')
      ?.filter((line) => line.includes('TEMP B-TREE')),
  ).toEqual(['USE TEMP B-TREE FOR ORDER BY']);
});
