// Says at the end of a run what this machine could not run, and how to get it.
import { pagesLeftOut, runsPages } from './chromium.ts';
import { mysqlLeftOut, runsMysql } from './mariadb.ts';

export function teardown(): void {
  if (!runsPages) process.stdout.write(`\n${pagesLeftOut}\n`);
  if (!runsMysql) process.stdout.write(`\n${mysqlLeftOut}\n`);
}
