// The one list of MySQL migrations.
import type { MysqlMigration } from './migration.ts';
import { reference } from './0001-reference.ts';
import { stagewire } from './0002-stagewire.ts';
import { domains } from './0003-domains.ts';
import { owners } from './0004-owners.ts';

/** In order of their versions. */
export const mysqlMigrations: readonly MysqlMigration[] = [reference, stagewire, domains, owners];
