// Who may write, and what actors' states were.
import { tableUnless, type MysqlMigration, type TableDefinition } from './migration.ts';

const tables: readonly TableDefinition[] = [
  {
    name: 'owners',
    columns: {
      territory: 'VARCHAR(255) NOT NULL',
      epoch: 'BIGINT NOT NULL',
      owner: 'VARCHAR(1000) NOT NULL',
      claimed_at: 'DATETIME(6) NOT NULL',
    },
    keys: ['PRIMARY KEY (territory)'],
  },
  {
    name: 'actor_snapshots',
    columns: {
      actor: 'VARCHAR(300) NOT NULL',
      body: 'LONGBLOB NOT NULL',
      created_at: 'DATETIME(6) NOT NULL',
    },
    keys: ['PRIMARY KEY (actor)'],
  },
];

export const owners: MysqlMigration = {
  version: 4,
  name: 'owners',
  plan: (found) => tables.flatMap((table) => tableUnless(found, table)),
};
