// One MySQL database for the tests of a file, made and migrated once and emptied before each use.
import { schemas } from '../../src/storage/schema.ts';
import { migrate } from '../../src/storage/open.ts';
import type { MysqlServer } from '../support/mariadb.ts';

const emptied = [
  'SET foreign_key_checks = 0',
  ...[...Object.keys(schemas), 'owners'].map((table) => `DELETE FROM ${table}`),
].join('; ');

/** URL of a database without rows. */
export function emptyDatabases(server: () => MysqlServer): () => Promise<string> {
  let made: Promise<string> | undefined;
  const make = async () => {
    const url = await server().newDatabase();
    await migrate(url);
    return url;
  };
  return async () => {
    made ??= make();
    const url = await made;
    await server().sql(emptied, url);
    return url;
  };
}
