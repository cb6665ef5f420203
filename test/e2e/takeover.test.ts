// A second server on the same database, while clients work on the first: it takes over, and nothing is lost.
import { expect, test } from 'vitest';
import { documentsLoad } from '../support/kill-documents.ts';
import { inventoryLoad } from '../support/kill-inventory.ts';
import { check, comeBack, finish, type MakeLoad } from '../support/kill-rounds.ts';
import { streamsLoad } from '../support/kill-streams.ts';
import { layoutOf } from '../support/layouts.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { expectTakenOver, rowsOf, stopAtRest, Work } from '../support/takeover.ts';

interface Case {
  readonly what: string;
  readonly makeLoad: MakeLoad;
  /** Whether who comes back can tell that all is right while others go on working. */
  readonly comesBackUnderLoad: boolean;
}

const cases: readonly Case[] = [
  { what: 'rooms and plain topics', makeLoad: streamsLoad, comesBackUnderLoad: true },
  {
    what: 'documents',
    makeLoad: (server) => documentsLoad(server, ['novel', 'letter']),
    comesBackUnderLoad: false,
  },
  {
    what: 'the inventory',
    makeLoad: (server) => inventoryLoad(server, ['counted', 'apples', 'pears', 'plums']),
    comesBackUnderLoad: true,
  },
];

const settings = (round: number) => layoutOf(round).settings;

test.each(cases)(
  '[FENCE10] [FENCE11] $what: the older server ends and names the newer, and nothing is lost or twice',
  async ({ makeLoad }) => {
    let server = await startServer({ settings: settings(0) });
    const load = await makeLoad(server);
    for (const round of [1, 2]) {
      await comeBack(server, load);
      await Promise.all(load.participants.map((one) => one.repeat()));
      const work = new Work(load.participants);
      await work.more(400);
      const newer = await server.beside(settings(round));
      await newer.listening();
      await work.done;
      await expectTakenOver(server, newer);
      check(newer, load);
      server = newer;
    }
    await comeBack(server, load);
    await finish(server, load);
  },
);

test.each(cases)(
  '[FENCE12] $what: a server that was stopped, taken over from and continued stores nothing more',
  async ({ makeLoad, comesBackUnderLoad }) => {
    const older = await startServer({ settings: settings(1) });
    const load = await makeLoad(older);
    const stopped = load.participants.filter((_, index) => index % 2 === 0);
    const others = load.participants.filter((_, index) => index % 2 === 1);
    await comeBack(older, { ...load, participants: stopped });
    const before = new Work(stopped);
    await before.more(400);
    await stopAtRest(older);

    const newer = await older.beside(settings(0));
    await newer.listening();
    const rows = storedOf(newer, stopped);
    await comeBack(newer, { ...load, participants: others });
    const after = new Work(others);
    await after.more(200);
    older.signal('SIGCONT');
    await before.done;
    await expectTakenOver(older, newer, { wasStopped: true });
    expect(storedOf(newer, stopped)).toBe(rows);

    await after.more(100);
    if (!comesBackUnderLoad) await after.end();
    await Promise.all(stopped.map((one) => one.comeBack(newer)));
    await Promise.all(stopped.map((one) => one.repeat()));
    await after.end();
    check(newer, load);
    await finish(newer, load);
  },
);

function storedOf(server: TestServer, participants: readonly { readonly user: string }[]): number {
  return rowsOf(
    server,
    participants.map(({ user }) => user),
  );
}
