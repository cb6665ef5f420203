// Users who come, watch each other and ask about each other, and go. Everybody watches the next few in a ring, so it
// is over when each has been seen online by all who watch it.
import { nowUs, sleep, sleepUntil, wallSeconds, within } from '../lib/clock.ts';
import type { CrowdPlan, LoadFigures, RoomTotal, RunOrder } from '../lib/plan.ts';
import { signToken } from '../lib/token.ts';
import { bodyOf, StompClient, subscriptionOf, type StompListener } from './stomp-client.ts';
import { Tally } from './tally.ts';

const pollMs = 5;
const askMsMax = 10_000;
/** Names of one question: the server's bound. */
const namesMax = 500;
/** Connections from one address to one port: fewer than the system has ports for. */
const portsMax = 20_000;

interface Entry {
  readonly userId: string;
  readonly online: boolean;
}

/** One user's one session. */
class Member implements StompListener {
  readonly #crowd: Crowd;
  readonly #index: number;
  readonly #client: StompClient;
  #answers = 0;
  readonly #asking = new Map<string, (entries: readonly Entry[]) => void>();
  /** Those it watches and has not seen online, by subscription. */
  readonly #unseen = new Map<string, number>();

  constructor(crowd: Crowd, index: number, options: ConstructorParameters<typeof StompClient>[0]) {
    this.#crowd = crowd;
    this.#index = index;
    this.#client = new StompClient(options, this);
  }

  /** Resolves when its subscriptions are live and its question is answered. */
  async join(watched: readonly number[], asked: readonly string[]): Promise<void> {
    await this.#client.isIn;
    this.#client.hearRefusals();
    const live = watched.map((index, position) => {
      this.#unseen.set(`w${position}`, index);
      return this.#client.subscribe(`w${position}`, `/topic/presence.${this.#crowd.nameOf(index)}`);
    });
    await Promise.all(live);
    if (asked.length > 0) {
      await within(this.ask(asked), askMsMax, 'asking for presence');
    }
  }

  /** How those users are. */
  async ask(users: readonly string[]): Promise<readonly Entry[]> {
    this.#answers += 1;
    const id = `q${this.#answers}`;
    const answer = new Promise<readonly Entry[]>((resolve) => this.#asking.set(id, resolve));
    this.#client.ask(id, `/app/presence.query?users=${users.join(',')}`);
    return answer;
  }

  leave(): void {
    this.#client.leave();
  }

  get isIn(): Promise<void> {
    return this.#client.isIn;
  }

  message(bytes: Buffer, start: number, end: number): void {
    const id = subscriptionOf(bytes, start);
    const answered = this.#asking.get(id);
    if (answered !== undefined) {
      this.#asking.delete(id);
      answered(JSON.parse(bodyOf(bytes, start, end)) as Entry[]);
      return;
    }
    this.#crowd.told();
    const watched = this.#unseen.get(id);
    if (watched !== undefined && (JSON.parse(bodyOf(bytes, start, end)) as Entry).online) {
      this.#unseen.delete(id);
      this.#crowd.seen(watched);
    }
  }

  refused(reason: string): void {
    this.#crowd.refused(reason);
  }

  closed(reason: string): void {
    this.#crowd.closed(`user ${this.#index}: ${reason}`);
  }
}

export class Crowd {
  readonly #plan: CrowdPlan;
  #tokens: readonly string[] = [];
  readonly #members: Member[] = [];
  /** When each user's session asked to come in. */
  readonly #cameAtUs: Float64Array;
  #unseen: number;
  #lastSeenAtUs = 0;
  #tally = new Tally();
  readonly #wrong: string[] = [];
  readonly #peaks: Record<string, number> = {};

  constructor(plan: CrowdPlan) {
    this.#plan = plan;
    this.#cameAtUs = new Float64Array(plan.users);
    this.#unseen = plan.users * Math.min(plan.watched, plan.users - 1);
  }

  /** Makes the tokens, so that signing them is not part of a join. */
  prepare(): Promise<void> {
    const { users, secret } = this.#plan;
    this.#tokens = Array.from({ length: users }, (_, index) =>
      signToken(this.nameOf(index), secret, wallSeconds()),
    );
    return Promise.resolve();
  }

  async run(order: RunOrder): Promise<readonly RoomTotal[]> {
    this.#tally = new Tally();
    await sleepUntil(order.startUs);
    this.#tally.open();
    const { pace } = order;
    await (pace.kind === 'once' && pace.act === 'leave' ? this.#leave(order) : this.#join(order));
    this.#tally.close();
    return [];
  }

  settle(): Promise<LoadFigures> {
    const nothing = { receiptsEver: 0, lost: 0, extra: 0, receiptsMissing: 0 };
    return Promise.resolve(
      this.#tally.figures({ ...nothing, peaks: { ...this.#peaks }, wrong: [...this.#wrong] }),
    );
  }

  nameOf(index: number): string {
    return `user-${this.#plan.firstUser + index}`;
  }

  told(): void {
    this.#tally.delivered(0);
  }

  seen(index: number): void {
    this.#unseen -= 1;
    this.#lastSeenAtUs = nowUs();
    this.#tally.other('seen', this.#lastSeenAtUs - (this.#cameAtUs[index] ?? 0));
  }

  refused(reason: string): void {
    this.#tally.refused(reason);
  }

  closed(reason: string): void {
    this.#tally.closed += 1;
    this.#tally.refused(reason);
  }

  #next(index: number, count: number): readonly number[] {
    const { users } = this.#plan;
    const others = Math.min(count, users - 1);
    return Array.from({ length: others }, (_, step) => (index + 1 + step) % users);
  }

  #member(index: number): Member {
    const { port, firstUser } = this.#plan;
    const localAddress = `127.0.0.${1 + Math.floor((firstUser + index) / portsMax)}`;
    return new Member(this, index, { port, token: this.#tokens[index] ?? '', localAddress });
  }

  async #join({ startUs, untilUs }: RunOrder): Promise<void> {
    const { users, watched, batch, concurrent } = this.#plan;
    const waiting = Array.from({ length: users }, (_, index) => index).values();
    const lane = async (): Promise<void> => {
      for (const index of waiting) {
        if (nowUs() >= untilUs) {
          return;
        }
        const cameAtUs = nowUs();
        this.#cameAtUs[index] = cameAtUs;
        const member = this.#member(index);
        this.#members.push(member);
        await member.join(
          this.#next(index, watched),
          this.#next(index, batch).map((other) => this.nameOf(other)),
        );
        this.#tally.cycled(nowUs() - cameAtUs);
      }
    };
    await Promise.all(Array.from({ length: concurrent }, lane));
    this.#peaks['joinSeconds'] = (nowUs() - startUs) / 1e6;
    while (this.#unseen > 0 && nowUs() < untilUs) {
      await sleep(pollMs);
    }
    this.#peaks['lastSeenSeconds'] = (Math.max(this.#lastSeenAtUs, startUs) - startUs) / 1e6;
    if (this.#unseen > 0) {
      this.#wrong.push(`${this.#unseen} times a user was NOT SEEN ONLINE by one who watches it`);
    }
  }

  /** All go at once, and one who has come to look asks until nobody is there. */
  async #leave({ startUs, untilUs }: RunOrder): Promise<void> {
    const { port, secret, users } = this.#plan;
    const token = signToken('observer', secret, wallSeconds());
    const observer = new Member(this, -1, { port, token });
    await observer.isIn;
    this.#members.splice(0).forEach((member) => member.leave());
    const names = Array.from({ length: users }, (_, index) => this.nameOf(index));
    while (names.length > 0) {
      const part = names.slice(0, namesMax);
      const entries = await within(observer.ask(part), askMsMax, 'asking for presence');
      const here = entries.filter(({ online }) => online).length;
      if (here === 0) {
        names.splice(0, namesMax);
      } else if (nowUs() > untilUs) {
        this.#wrong.push(`${here} users of ${part.length} asked for are STILL ONLINE`);
        break;
      } else {
        await sleep(pollMs);
      }
    }
    observer.leave();
    this.#peaks['leaveSeconds'] = (nowUs() - startUs) / 1e6;
  }
}
