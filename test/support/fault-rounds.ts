// Proof by faults: participants follow and ask while the database is taken away and given back, one fault after the
// other, and the server stays. Whatever is UNAVAILABLE meanwhile is asked for again until it is done.
import { expect, vi } from 'vitest';
import { finish, type Load } from './kill-rounds.ts';
import { expectQuietLog, outagesOf } from './outages.ts';
import type { RestAnswer, TestServer } from './server.ts';
import { connectStomp } from './stomp.ts';
import { Watch } from './watch.ts';

export interface Fault {
  readonly name: string;
  /** Takes the database away, or a part of it. */
  readonly begin: () => Promise<unknown>;
  /** Gives it back. */
  readonly end: () => Promise<unknown>;
  /**
   * - `told`: something is UNAVAILABLE while it lasts, and `/readyz` says so.
   * - `waited`: it lasts so long that a connection with nothing to do gets heart-beats meanwhile; nobody is told.
   * - `passing`: it may be over before anybody sees it.
   */
  readonly seen: 'told' | 'waited' | 'passing';
}

/** Between two faults, and after the last one, participants get so many frames. */
const framesBetween = 300;
/** Longer than what keeps a server that is away from being asked again. */
const healedWithinMs = 20_000;

const unavailable = 'stagewire_database_unavailable';

/** For servers of these tests: an idle connection shows that they live. */
export const heartBeatMs = '1000';

/** Whether the server says that it is ready; the status and the word of `/readyz`. */
export async function readiness(server: TestServer): Promise<string> {
  const { status, body } = await server.rest('GET', '/readyz');
  return `${status} ${(body as { status: string }).status}`;
}

/** The value of a metric without labels. */
export async function metric(server: TestServer, name: string): Promise<number> {
  const { body }: RestAnswer = await server.rest('GET', '/metrics');
  const [, value] = new RegExp(`^${name} (\\S+)$`, 'm').exec(String(body)) ?? [];
  return Number(value);
}

/** Looks until it is so. */
function soon(holds: () => unknown): Promise<unknown> {
  return vi.waitFor(holds, { timeout: healedWithinMs });
}

/** Participants at work, and how much they have got. */
class Shift {
  readonly #load: Load;
  #frames = 0;
  #isOver = false;
  readonly #watch = new Watch(() => `${this.#frames} frames came`);
  readonly #work: Promise<unknown>;

  constructor(load: Load) {
    this.#load = load;
    for (const participant of load.participants) {
      participant.onFrame = () => {
        this.#frames += 1;
        this.#watch.changed();
      };
    }
    const shift = { onSend: () => undefined, isOver: () => this.#isOver, mayBeUnavailable: true };
    this.#work = Promise.all(load.participants.map((one) => one.work(shift)));
  }

  /** How often somebody was told that something is UNAVAILABLE. */
  get unavailable(): number {
    return this.#load.participants.reduce((sum, one) => sum + one.unavailable, 0);
  }

  moreFrames(): Promise<void> {
    const enough = this.#frames + framesBetween;
    return this.#watch.until(() => this.#frames >= enough, `${framesBetween} more frames`, healedWithinMs);
  }

  async end(): Promise<void> {
    this.#isOver = true;
    await this.#work;
  }
}

async function liveThrough(server: TestServer, shift: Shift, { name, begin, end, seen }: Fault) {
  const idle = await connectStomp(server, { user: 'idle', heartBeat: `0,${heartBeatMs}` });
  const before = shift.unavailable;
  await begin();
  try {
    if (seen === 'told') {
      await soon(() => expect(shift.unavailable, `${name}: UNAVAILABLE`).toBeGreaterThan(before));
      await soon(async () => expect(await readiness(server), name).toBe('503 database unavailable'));
      // It comes and goes where some commits still find room.
      await soon(async () => expect(await metric(server, unavailable), name).toBeGreaterThan(0));
      expect((await server.rest('GET', '/healthz')).status).toBe(200);
    }
    if (seen !== 'passing') await idle.waitForBeats(idle.beats + 1);
  } finally {
    await end();
  }
  await soon(async () => expect(await readiness(server), name).toBe('200 ready'));
  await shift.moreFrames();
  if (seen === 'waited') expect(shift.unavailable).toBe(before);
  await idle.disconnect();
}

/**
 * Lets participants work through the faults, in this order, on a server that stays. Then all promises are held against
 * what the database holds: connections stood, what was acknowledged or seen is there once, what was not is done when it
 * is asked for again, every stream was seen without a gap or a repeat, and the log holds two lines of each fault at most.
 *
 * @param load nobody of it is there yet.
 * @returns how often something was UNAVAILABLE.
 */
export async function survive(server: TestServer, load: Load, faults: readonly Fault[]): Promise<number> {
  await Promise.all(load.participants.map((one) => one.comeBack(server)));
  const shift = new Shift(load);
  await shift.moreFrames();
  for (const fault of faults) await liveThrough(server, shift, fault);
  await shift.end();
  await expectQuietLog(server, faults.length);
  if (faults.some(({ seen }) => seen === 'told')) expect(outagesOf(server).size).toBeGreaterThan(0);
  await finish(server, load);
  return shift.unavailable;
}
