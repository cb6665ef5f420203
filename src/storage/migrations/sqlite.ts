// The one list of SQLite migrations.
import type { Migration } from './migration.ts';
import { reference } from './sqlite-0001-reference.ts';
import { stagewire } from './sqlite-0002-stagewire.ts';
import { domains } from './sqlite-0003-domains.ts';

/** In order of their versions. */
export const sqliteMigrations: readonly Migration[] = [reference, stagewire, domains];
