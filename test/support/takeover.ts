// Two servers on one database: what the older one says when the newer has taken over, and what is seen of it.
import { readdirSync, readFileSync } from 'node:fs';
import { expect } from 'vitest';
import { isLocked } from './database-lock.ts';
import { DatabaseView } from './database.ts';
import type { AnyParticipant, Shift } from './participant.ts';
import type { LogLine, TestServer } from './server.ts';
import { Watch } from './watch.ts';

const warning = 40;
const troubles = ({ log }: TestServer): LogLine[] =>
  log.filter(({ level, text }) => text !== undefined || Number(level) >= warning);

interface Older {
  /** It was: what it had just asked the database then had no answer for as long, which the log calls an outage. */
  readonly wasStopped?: boolean;
}

/** The older one has ended in order and said once who took over; the newer one has had no trouble. */
export async function expectTakenOver(
  older: TestServer,
  newer: TestServer,
  { wasStopped = false }: Older = {},
): Promise<void> {
  expect(await older.exit()).toEqual({ code: 1, signal: null });
  const found = troubles(older).filter(({ msg }) => !wasStopped || msg !== 'the database is away');
  expect(found.map(({ level, msg, err }) => ({ level, msg, err }))).toEqual([
    { level: 60, msg: expect.stringMatching(saysWhoTookOver(newer)) as string, err: undefined },
  ]);
  expect(troubles(newer)).toEqual([]);
}

export function saysWhoTookOver({ pid }: TestServer): RegExp {
  return new RegExp(
    `^(stagewire: )?Another server has taken over this database: process ${pid} on \\S+, started `,
  );
}

/** Who owns the database. */
export function ownerOf({ databaseUrl }: TestServer): { epoch: number; owner: string } {
  const database = new DatabaseView(databaseUrl);
  const [row] = database.rows('SELECT epoch, owner FROM owners');
  database.close();
  return { epoch: Number(row?.['epoch']), owner: String(row?.['owner']) };
}

/** What the database holds that these users asked for, as rows of all tables that say so. */
export function rowsOf({ databaseUrl }: TestServer, users: readonly string[]): number {
  const database = new DatabaseView(databaseUrl);
  const columns = [
    'sender_id FROM chat_messages',
    'sender_id FROM topic_messages',
    'user_id FROM document_operations',
    'user_id FROM idempotency_keys',
    'user_id FROM command_answers',
  ];
  const all = columns.flatMap((column) => database.rows(`SELECT ${column}`));
  database.close();
  return all.filter((row) => users.includes(String(row['sender_id'] ?? row['user_id']))).length;
}

function isStopped(pid: number): boolean {
  const folder = `/proc/${pid}/task`;
  return readdirSync(folder).every((thread) =>
    / T /.test(readFileSync(`${folder}/${thread}/stat`, 'utf8').replace(/\(.*\)/s, '')),
  );
}

/** Stops the process, but not in the middle of a write: that would keep everybody else from writing. */
export async function stopAtRest(server: TestServer): Promise<void> {
  for (;;) {
    server.signal('SIGSTOP');
    while (!isStopped(server.pid)) await new Promise(setImmediate);
    if (!(await isLocked(server.databaseUrl))) return;
    server.signal('SIGCONT');
    await new Promise(setImmediate);
  }
}

/** Participants at work, and how to wait for what they get. */
export class Work {
  /** Resolves when all have stopped: they were told to, or their connections have ended. */
  readonly done: Promise<unknown>;
  #isOver = false;
  #frames = 0;
  readonly #watch = new Watch(() => `${this.#frames} frames came`);

  constructor(participants: readonly AnyParticipant[]) {
    const shift: Shift = {
      onSend: () => undefined,
      isOver: () => this.#isOver,
      mayBeUnavailable: true,
    };
    for (const participant of participants) {
      participant.onFrame = () => {
        this.#frames += 1;
        this.#watch.changed();
      };
    }
    this.done = Promise.all(participants.map((one) => one.work(shift)));
  }

  /** Waits for so many more frames. */
  more(count: number): Promise<void> {
    const enough = this.#frames + count;
    return this.#watch.until(() => this.#frames >= enough, `${count} more frames`);
  }

  async end(): Promise<void> {
    this.#isOver = true;
    await this.done;
  }
}
