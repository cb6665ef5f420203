// The load processes of one measurement: each has its share of the connections, and the parent adds up.
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { killChild, startChild, type Child } from './children.ts';
import { nowUs, within } from './clock.ts';
import { pinned, type Cores } from './cores.ts';
import { makeDeferred, type Deferred } from './deferred.ts';
import type { FromLoad, LoadFigures, Plan, RoomTotal, RunOrder, ToLoad } from './plan.ts';

const script = fileURLToPath(new URL('../load/main.js', import.meta.url));
const prepareMsMax = 90_000;
const graceMs = 20_000;

/** One load process, spoken to in turn: one question, one answer. */
class LoadProcess {
  readonly #child: Child;
  #waiting: Deferred<FromLoad> | undefined;

  private constructor(child: Child) {
    this.#child = child;
    child.process.on('message', (message) => this.#waiting?.resolve(message as FromLoad));
    void child.ended.then((how) => this.#waiting?.reject(new Error(`a load process failed: ${how}`)));
  }

  static async start(cores: Cores): Promise<LoadProcess> {
    const command = pinned([process.execPath, script], cores.load);
    return new LoadProcess(await startChild(command, process.cwd(), ['ignore', 'inherit', 'inherit', 'ipc']));
  }

  async ask<T extends FromLoad['type']>(
    message: ToLoad,
    answerType: T,
    limitMs: number,
  ): Promise<Extract<FromLoad, { type: T }>> {
    this.#waiting = makeDeferred<FromLoad>();
    this.#child.process.send(message);
    const answer = await within(this.#waiting.promise, limitMs, `the load's answer to "${message.type}"`);
    if (answer.type !== answerType) {
      throw new Error(answer.type === 'failed' ? answer.reason : `the load answered "${answer.type}"`);
    }
    return answer as Extract<FromLoad, { type: T }>;
  }

  end(): Promise<void> {
    return killChild(this.#child);
  }
}

export class LoadGroup {
  readonly #processes: readonly LoadProcess[];
  readonly #shares: readonly number[];

  private constructor(processes: readonly LoadProcess[], shares: readonly number[]) {
    this.#processes = processes;
    this.#shares = shares;
  }

  /**
   * Starts the load processes and lets them set up `plan`.
   * @throws Error when a connection can't be made or is refused.
   */
  static async open(plan: Plan, cores: Cores): Promise<LoadGroup> {
    const count = Math.min(cores.loadCount, partsOf(plan));
    const plans = Array.from({ length: count }, (_, index) => shareOf(plan, index, count));
    const processes = await Promise.all(plans.map(() => LoadProcess.start(cores)));
    const group = new LoadGroup(processes, plans.map(sendersOf));
    try {
      await Promise.all(
        processes.map((load, index) =>
          load.ask({ type: 'prepare', plan: plans[index] ?? plan }, 'prepared', prepareMsMax),
        ),
      );
      return group;
    } catch (error) {
      await group.end();
      throw error;
    }
  }

  /** One run; returns what each process saw, once everything awaited has come or `settleMsMax` have passed. */
  async run(order: RunOrder, settleMsMax: number): Promise<readonly LoadFigures[]> {
    const limitMs = (order.untilUs - nowUs()) / 1_000 + graceMs;
    const senders = this.#shares.reduce((sum, share) => sum + share, 0);
    const answers = await Promise.all(
      this.#processes.map((load, index) => {
        const part = (this.#shares[index] ?? 0) / senders;
        const { pace } = order;
        const own = pace.kind === 'open' ? { ...pace, ratePerSecond: pace.ratePerSecond * part } : pace;
        return load.ask({ type: 'run', order: { ...order, pace: own } }, 'sent', limitMs);
      }),
    );
    const totals = addTotals(answers.map((answer) => answer.totals));
    const settle: ToLoad = { type: 'settle', totals, limitMs: settleMsMax };
    const settled = await Promise.all(
      this.#processes.map((load) => load.ask(settle, 'settled', settleMsMax + graceMs)),
    );
    return settled.map(({ figures }) => figures);
  }

  async end(): Promise<void> {
    await Promise.all(this.#processes.map((load) => load.end()));
  }
}

/** Into how many parts a plan can be cut. */
function partsOf(plan: Plan): number {
  switch (plan.kind) {
    case 'traffic':
      return plan.connections.length;
    case 'churn':
      return plan.lanes;
    case 'editing':
      return plan.documents.length;
    case 'market':
      return Math.min(plan.viewers, plan.streams);
    case 'crowd':
      return Math.max(1, Math.floor(plan.users / (plan.watched + plan.batch + 1)));
  }
}

function shareOf(plan: Plan, index: number, count: number): Plan {
  const part = (whole: number): number => Math.ceil((whole - index) / count);
  switch (plan.kind) {
    case 'traffic':
      return { ...plan, connections: plan.connections.filter((_, position) => position % count === index) };
    case 'churn':
      return { ...plan, lanes: part(plan.lanes) };
    case 'editing':
      return { ...plan, documents: plan.documents.filter((_, position) => position % count === index) };
    case 'market':
      return { ...plan, viewers: part(plan.viewers), streams: part(plan.streams) };
    case 'crowd': {
      const before = Array.from({ length: index }, (_, other) => Math.ceil((plan.users - other) / count));
      const firstUser = plan.firstUser + before.reduce((sum, users) => sum + users, 0);
      return { ...plan, firstUser, users: part(plan.users), concurrent: Math.max(1, part(plan.concurrent)) };
    }
  }
}

/** What the rate of a run is shared out by. */
function sendersOf(plan: Plan): number {
  switch (plan.kind) {
    case 'traffic':
      return plan.connections.filter(({ sendsTo }) => sendsTo !== undefined).length;
    case 'churn':
      return plan.lanes;
    case 'editing':
      return plan.documents.length * plan.editors;
    case 'market':
      return plan.streams;
    case 'crowd':
      return plan.users;
  }
}

function addTotals(parts: readonly (readonly RoomTotal[])[]): readonly RoomTotal[] {
  const [first = [], ...others] = parts;
  return first.map((total, room) =>
    others.reduce(
      (sum, part) => ({
        count: sum.count + (part[room]?.count ?? 0),
        sumUs: sum.sumUs + (part[room]?.sumUs ?? 0),
      }),
      total,
    ),
  );
}
