// Says at the end of a run what this machine could not run, and how to get it.
import { pagesLeftOut, runsPages } from './chromium.ts';
import { mysqlLeftOut, runsMysql } from './mariadb.ts';
import { pythonLeftOut, runsPython } from './python.ts';
import { redisLeftOut, runsPrivateRedis } from './redis-file.ts';
import { diskLeftOut, runsSmallDisks } from './small-disk-right.ts';

export function teardown(): void {
  const all: readonly (readonly [isRun: boolean, leftOut: string])[] = [
    [runsPages, pagesLeftOut],
    [runsMysql, mysqlLeftOut],
    [runsPrivateRedis, redisLeftOut],
    [runsPython, pythonLeftOut],
    [runsSmallDisks, diskLeftOut],
  ];
  for (const [isRun, leftOut] of all) if (!isRun) process.stdout.write(`\n${leftOut}\n`);
}
