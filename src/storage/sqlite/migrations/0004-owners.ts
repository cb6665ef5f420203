// Who may write, and what actors' states were.
import type { SqliteMigration } from './migration.ts';

// Snapshots are large and replaced in place: their bodies stay out of the key's tree.
export const owners: SqliteMigration = {
  version: 4,
  name: 'owners',
  sql: `
CREATE TABLE owners (
  territory TEXT NOT NULL PRIMARY KEY,
  epoch INTEGER NOT NULL,
  owner TEXT NOT NULL,
  claimed_at TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE actor_snapshots (
  actor TEXT NOT NULL PRIMARY KEY,
  body BLOB NOT NULL,
  created_at TEXT NOT NULL
);
`,
};
