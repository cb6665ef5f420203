// What the rules of the contract ask of the store under test.
import { expect } from 'vitest';
import type { Query, QueryName, Rows, Storage, Transaction, Write } from '../../src/storage/storage.ts';
import { reasons } from './rows.ts';

export type Fixture = ReturnType<typeof makeFixture>;

/** @param store the store of the test that runs. */
export function makeFixture(store: () => Storage) {
  const commit = (transactions: readonly Transaction[]) => store().commit(transactions);
  const query = <Name extends QueryName>(asked: Query<Name>): Promise<Rows<Name>> => store().query(asked);
  return {
    commit,
    query,
    /** Applies one transaction that must succeed. */
    write: async (...writes: Write[]) => expect(await commit([writes])).toEqual([null]),
    commitReasons: async (...transactions: Transaction[]) => reasons(await commit(transactions)),
    roomRow: (roomId = 'lobby') => query({ name: 'room', args: { roomId } }),
    seqs: async (roomId = 'lobby') => {
      const rows = await query({ name: 'roomMessagesAfter', args: { roomId, after: 0, limit: 1000 } });
      return rows.map(({ seq }) => seq);
    },
    topicSeqs: async (topic = 'news') => {
      const rows = await query({ name: 'topicMessagesAfter', args: { topic, after: 0, limit: 1000 } });
      return rows.map(({ seq }) => seq);
    },
    allKeys: () =>
      query({ name: 'idempotencyKeys', args: { actor: 'room/lobby', since: -Infinity, limit: 100 } }),
  };
}
