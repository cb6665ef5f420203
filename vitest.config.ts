import { defineConfig } from 'vitest/config';

// The suites run the built files, as worker threads and users do.
export default defineConfig({
  test: {
    include: ['dist/test/**/*.test.js'],
    globalSetup: ['dist/test/support/left-out.js', 'dist/test/support/shared-mariadb.js'],
    testTimeout: 30_000,
    hookTimeout: 30_000,
    pool: 'forks',
    maxWorkers: 2,
  },
});
