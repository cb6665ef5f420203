import { defineConfig } from 'vitest/config';
import { runsMysql } from './test/support/mariadb.ts';

// The suites run the built files, as worker threads and users do. What users see is tried on SQLite, and once more on
// MySQL or MariaDB with Redis, where there are such, with several edges and shards (test/support/layouts.ts); these files
// of test/e2e are not, because:
const onSqliteAlone = {
  'connections*': 'nothing is stored: handshakes, limits and ends of connections',
  'docs-page': 'nothing is stored: a page in a browser',
  'documents-cursors': 'nothing is stored: where others have their carets',
  'frames*': 'nothing is stored that other files do not store: the protocol itself',
  ingest: 'nothing is stored that other files do not store: bodies of HTTP',
  'msgpack*': 'nothing is stored that other files do not store: another form of the protocol',
  'patterns-stompjs': 'nothing is stored that other files do not store: the library',
  'prices-lines': 'nothing is stored that other files do not store: bodies of HTTP',
  'prices-slow': 'nothing is stored: who reads too slowly',
  'process*': 'the process itself: its command line, signals and threads; what outlives its end, kill-* try',
  refusals: 'nothing is stored: how a refusal is told',
  'redis-*': 'Redis alone, on whatever database',
  'rest-description': 'nothing is stored: what the description says',
  'sockjs*': 'nothing is stored that other files do not store: ways to carry the protocol',
};

const endToEnd = 'dist/test/e2e/**/*.test.js';
const each = {
  testTimeout: 90_000,
  hookTimeout: 90_000,
  expect: { poll: { timeout: 30_000 } },
  pool: 'forks' as const,
};

export default defineConfig({
  test: {
    globalSetup: ['dist/test/support/left-out.js', 'dist/test/support/shared-mariadb.js'],
    maxWorkers: 2,
    projects: [
      { test: { ...each, name: 'parts', include: ['dist/test/**/*.test.js'], exclude: [endToEnd] } },
      { test: { ...each, name: 'sqlite', include: [endToEnd] } },
      {
        test: {
          ...each,
          name: 'mysql',
          include: runsMysql ? [endToEnd] : [],
          exclude: Object.keys(onSqliteAlone).map((file) => `dist/test/e2e/${file}.test.js`),
          env: { STAGEWIRE_TEST_STORE: 'mysql' },
        },
      },
    ],
  },
});
