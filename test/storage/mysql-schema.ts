// What a MySQL database looks like, to be compared.
import type { MysqlServer } from '../support/mariadb.ts';

/** Every statement that would make it again, by table; empty when there is no such database. */
export async function schemaOf(server: MysqlServer, url: string): Promise<Record<string, string>> {
  const tables = await server.sql<{ name: string }>(
    'SELECT table_name AS name FROM information_schema.tables WHERE table_schema = DATABASE() ORDER BY table_name',
    url,
  );
  const schema: Record<string, string> = {};
  for (const { name } of tables) {
    const [made] = await server.sql<Record<string, string>>(`SHOW CREATE TABLE ${name}`, url);
    // Where the numbering of the next row begins is no part of the schema.
    schema[name] = (made?.['Create Table'] ?? '').replace(/ AUTO_INCREMENT=\d+/, '');
  }
  return schema;
}
