// Connections that stay, and the messages between them: at a fixed rate or as fast as the answers come.
import { nowUs, repeat, sleep, sleepUntil, wallSeconds } from '../lib/clock.ts';
import type { LoadFigures, RoomTotal, RunOrder, TrafficPlan } from '../lib/plan.ts';
import { signToken } from '../lib/token.ts';
import { makeProtocol } from '../protocols/table.ts';
import type { Protocol } from '../protocols/protocol.ts';
import { Connection, type ConnectionListener } from './connection.ts';
import { Tally } from './tally.ts';

/** How many connections may be on their way in at once. */
const connectingMax = 100;
const tickMs = 1;
const settlePollMs = 2;
/** Stamps begin here, not at zero: zero is no message's number. */
const firstStampUs = 1_000_000;

interface Room {
  readonly sender: Connection | undefined;
  subscribers: number;
  deliveries: number;
}

export class Traffic implements ConnectionListener {
  readonly #plan: TrafficPlan;
  readonly #protocol: Protocol;
  readonly #connections: Connection[] = [];
  #senders: readonly Connection[] = [];
  #rooms: readonly Room[] = [];
  #tally = new Tally();
  #order: RunOrder | undefined;
  #epochUs = 0;
  #sending = false;

  constructor(plan: TrafficPlan) {
    this.#plan = plan;
    this.#protocol = makeProtocol(plan.protocol, plan.contentBytes);
  }

  /** Opens every connection and waits until all subscriptions are live. */
  async prepare(): Promise<void> {
    const waiting = this.#plan.connections.values();
    const lane = async (): Promise<void> => {
      for (const plan of waiting) {
        const token = signToken(plan.user, this.#plan.secret, wallSeconds());
        const { port, rooms } = this.#plan;
        const connection = new Connection({
          plan,
          port,
          token,
          rooms,
          protocol: this.#protocol,
          listener: this,
        });
        this.#connections.push(connection);
        await connection.live;
      }
    };
    await Promise.all(Array.from({ length: connectingMax }, lane));
    this.#senders = this.#connections.filter(({ plan }) => plan.sendsTo !== undefined);
    this.#rooms = this.#plan.rooms.map((_, index) => ({
      sender: this.#senders.find(({ plan }) => plan.sendsTo === index),
      subscribers: this.#connections.filter(({ plan }) => plan.subscribesTo.includes(index)).length,
      deliveries: 0,
    }));
  }

  /** Sends as ordered and returns, when the window is over, what was sent to each room. */
  async run(order: RunOrder): Promise<readonly RoomTotal[]> {
    this.#order = order;
    this.#epochUs = order.startUs - firstStampUs;
    this.#tally = new Tally();
    this.#connections.forEach((connection) => connection.resetCounts());
    this.#rooms.forEach((room) => (room.deliveries = 0));
    await sleepUntil(order.startUs);
    this.#sending = true;
    const stop =
      order.pace.kind === 'open' ? this.#sendAtRate(order.pace.ratePerSecond) : this.#fillWindows();
    await sleepUntil(order.fromUs);
    this.#tally.open();
    await sleepUntil(order.untilUs);
    this.#tally.close();
    this.#sending = false;
    stop();
    return this.#totals();
  }

  /** Waits until every subscriber has its rooms' messages and every sender its receipts, at most `limitMs`. */
  async settle(totals: readonly RoomTotal[], limitMs: number): Promise<LoadFigures> {
    const limitUs = nowUs() + limitMs * 1_000;
    while (this.#awaited(totals) && nowUs() < limitUs) {
      await sleep(settlePollMs);
    }
    const figures = { receiptsEver: 0, lost: 0, extra: 0, receiptsMissing: 0 };
    for (const connection of this.#connections) {
      const expected = this.#expected(connection, totals);
      const missing = expected.count - connection.deliveries;
      // The right number of the wrong messages is one lost and one extra, at least.
      const mixedUp = missing === 0 && expected.sumUs !== connection.deliveriesSumUs ? 1 : 0;
      figures.lost += Math.max(0, missing) + mixedUp;
      figures.extra += Math.max(0, -missing) + mixedUp;
      figures.receiptsMissing += this.#plan.receipts ? connection.sent - connection.receipts : 0;
      figures.receiptsEver += connection.receipts;
    }
    return this.#tally.figures(figures);
  }

  delivered(connection: Connection, stampUs: number, bytes: number): void {
    this.#tally.delivered(bytes);
    const dueUs = this.#epochUs + stampUs;
    if (this.#isMeasured(dueUs)) {
      this.#tally.deliveryLatency.record(nowUs() - dueUs);
    }
    const pace = this.#order?.pace;
    if (pace?.kind === 'closed' && pace.until === 'delivered') {
      const room = this.#rooms[connection.plan.subscribesTo[0] ?? 0];
      if (room !== undefined && ++room.deliveries % room.subscribers === 0 && room.sender !== undefined) {
        this.#sendNow(room.sender);
      }
    }
  }

  receipted(connection: Connection, stampUs: number): void {
    this.#tally.received();
    const dueUs = this.#epochUs + stampUs;
    if (this.#isMeasured(dueUs)) {
      this.#tally.receiptLatency.record(nowUs() - dueUs);
    }
    const pace = this.#order?.pace;
    if (pace?.kind === 'closed' && pace.until === 'receipt') {
      this.#sendNow(connection);
    }
  }

  refused(reason: string): void {
    this.#tally.refused(reason);
  }

  closed(_connection: Connection, reason: string): void {
    this.#tally.closed += 1;
    this.#tally.refused(reason);
  }

  #isMeasured(dueUs: number): boolean {
    return this.#order !== undefined && dueUs >= this.#order.fromUs && dueUs < this.#order.untilUs;
  }

  /** Messages go out when due, from one sender after the other; late ones keep the instant they were due. */
  #sendAtRate(ratePerSecond: number): () => void {
    const untilUs = this.#order?.untilUs ?? 0;
    const intervalUs = 1e6 / ratePerSecond;
    let dueUs = this.#order?.startUs ?? 0;
    let turn = 0;
    return repeat(tickMs, () => {
      const now = nowUs();
      for (; dueUs <= now && dueUs < untilUs; dueUs += intervalUs) {
        const sender = this.#senders[turn++ % this.#senders.length];
        if (sender !== undefined) {
          this.#send(sender, dueUs);
          if (this.#isMeasured(dueUs)) {
            this.#tally.sendLag.record(nowUs() - dueUs);
          }
        }
      }
    });
  }

  #fillWindows(): () => void {
    const pace = this.#order?.pace;
    const window = pace?.kind === 'closed' ? pace.window : 0;
    for (let round = 0; round < window; round++) {
      this.#senders.forEach((sender) => this.#sendNow(sender));
    }
    return () => undefined;
  }

  #sendNow(sender: Connection): void {
    if (this.#sending) {
      this.#send(sender, nowUs());
    }
  }

  #send(sender: Connection, dueUs: number): void {
    sender.publish(Math.round(dueUs - this.#epochUs), this.#plan.receipts);
    this.#tally.sent();
  }

  #totals(): readonly RoomTotal[] {
    const totals = this.#plan.rooms.map(() => ({ count: 0, sumUs: 0 }));
    for (const { plan, sent, sentSumUs } of this.#senders) {
      const total = totals[plan.sendsTo ?? 0];
      if (total !== undefined) {
        total.count += sent;
        total.sumUs += sentSumUs;
      }
    }
    return totals;
  }

  #expected(connection: Connection, totals: readonly RoomTotal[]): RoomTotal {
    const expected = { count: 0, sumUs: 0 };
    for (const room of connection.plan.subscribesTo) {
      const own = !this.#protocol.echoes && connection.plan.sendsTo === room;
      expected.count += (totals[room]?.count ?? 0) - (own ? connection.sent : 0);
      expected.sumUs += (totals[room]?.sumUs ?? 0) - (own ? connection.sentSumUs : 0);
    }
    return expected;
  }

  #awaited(totals: readonly RoomTotal[]): boolean {
    return this.#connections.some(
      (connection) =>
        connection.deliveries < this.#expected(connection, totals).count ||
        (this.#plan.receipts && connection.receipts < connection.sent),
    );
  }
}
