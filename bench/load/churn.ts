// Connections that come, sign in, subscribe and go, one after the other in each lane.
import { after, nowUs, sleep, sleepUntil, wallSeconds } from '../lib/clock.ts';
import { makeDeferred } from '../lib/deferred.ts';
import type { ChurnPlan, LoadFigures, RoomTotal, RunOrder } from '../lib/plan.ts';
import { signToken } from '../lib/token.ts';
import { WebSocketClient, type WebSocketListener } from '../lib/websocket-client.ts';
import type { Peer, Protocol } from '../protocols/protocol.ts';
import { makeProtocol } from '../protocols/table.ts';
import { Tally } from './tally.ts';

const usersMax = 1_000;
/** A lane whose server refuses must not spin. */
const pauseAfterFailureMs = 50;
/** A cycle that takes longer has failed. */
const cycleMsMax = 10_000;

/** One connection's short life. */
class Cycle implements Peer, WebSocketListener {
  readonly token: string;
  /** Microseconds from connecting to the live subscription; the promise resolves when the connection is closed. */
  readonly done: Promise<number>;
  readonly #done = makeDeferred<number>();
  readonly #protocol: Protocol;
  readonly #room: string;
  readonly #client: WebSocketClient;
  readonly #startedAtUs = nowUs();
  #subscribedAfterUs = -1;
  #unconfirmed = 0;

  constructor(plan: ChurnPlan, protocol: Protocol, token: string, room: string) {
    this.token = token;
    this.done = this.#done.promise;
    this.#protocol = protocol;
    this.#room = room;
    const { requestTarget, subprotocol } = protocol;
    this.#client = new WebSocketClient({ port: plan.port, requestTarget, subprotocol }, this);
  }

  destroy(): void {
    this.#client.destroy();
  }

  write(message: string | Uint8Array): void {
    this.#client.send(message);
  }

  opened(): void {
    this.#protocol.open(this);
  }

  signedIn(): void {
    this.#unconfirmed = this.#protocol.subscribe(this, [this.#room], false);
  }

  confirmed(): void {
    this.#unconfirmed -= 1;
    if (this.#unconfirmed > 0) {
      return;
    }
    if (this.#subscribedAfterUs < 0) {
      this.#subscribedAfterUs = nowUs() - this.#startedAtUs;
      this.#unconfirmed = this.#protocol.leave(this);
    }
    if (this.#unconfirmed <= 0) {
      this.#client.close();
    }
  }

  delivered(): void {
    // Nobody sends in this scenario.
  }

  receipted(): void {
    // Nobody sends in this scenario.
  }

  refused(reason: string): void {
    this.#done.reject(new Error(`refused: ${reason}`));
    this.#client.destroy();
  }

  message(bytes: Buffer, start: number, end: number): void {
    this.#protocol.read(bytes, start, end, this);
  }

  closed(reason: string): void {
    if (this.#subscribedAfterUs < 0) {
      this.#done.reject(new Error(reason));
    } else {
      this.#done.resolve(this.#subscribedAfterUs);
    }
  }
}

export class Churn {
  readonly #plan: ChurnPlan;
  readonly #protocol: Protocol;
  #tokens: readonly string[] = [];
  #tally = new Tally();
  #turn = 0;

  constructor(plan: ChurnPlan) {
    this.#plan = plan;
    this.#protocol = makeProtocol(plan.protocol, plan.contentBytes);
  }

  /** Makes the tokens, so that signing them is not part of a cycle. */
  prepare(): Promise<void> {
    const { secret } = this.#plan;
    this.#tokens = Array.from({ length: usersMax }, (_, index) =>
      signToken(`user-${index}`, secret, wallSeconds()),
    );
    return Promise.resolve();
  }

  /** Runs all lanes until the window is over and the last connections are gone. */
  async run(order: RunOrder): Promise<readonly RoomTotal[]> {
    this.#tally = new Tally();
    await sleepUntil(order.startUs);
    const lanes = Array.from({ length: this.#plan.lanes }, () => this.#lane(order.untilUs));
    await sleepUntil(order.fromUs);
    this.#tally.open();
    await sleepUntil(order.untilUs);
    this.#tally.close();
    await Promise.all(lanes);
    return [];
  }

  /** Nothing is under way any more when `run` has returned. */
  settle(): Promise<LoadFigures> {
    return Promise.resolve(this.#tally.figures({ receiptsEver: 0, lost: 0, extra: 0, receiptsMissing: 0 }));
  }

  async #lane(untilUs: number): Promise<void> {
    while (nowUs() < untilUs) {
      const turn = this.#turn++;
      const { rooms } = this.#plan;
      const room = rooms[turn % rooms.length] ?? '';
      const cycle = new Cycle(this.#plan, this.#protocol, this.#tokens[turn % usersMax] ?? '', room);
      const cancel = after(cycleMsMax, () => cycle.destroy());
      try {
        this.#tally.cycled(await cycle.done);
      } catch (error) {
        this.#tally.closed += 1;
        this.#tally.refused(error instanceof Error ? error.message : String(error));
        await sleep(pauseAfterFailureMs);
      } finally {
        cancel();
      }
    }
  }
}
