// Gives actors their turns: one at a time each, on state that is loaded first, with rows read in between where a turn
// needs them, and loaded again after a fault. What turns write and send goes to the gate.
import type { Logger } from 'pino';
import { overloaded, Refusal } from '../errors.ts';
import type { Clock, Timer } from '../lib/clock.ts';
import { ToEdge, type Asker, type Params, type PublishMessage } from '../link/messages.ts';
import type { SubscribedMessage, ToEdgeMessage } from '../link/messages.ts';
import type { Shared } from '../storage/shared.ts';
import { isUnavailable, type Query, type Storage } from '../storage/storage.ts';
import type { Source } from './actor.ts';
import { isRefusable, isSilent, type Cell, type FaultLimits, type Item } from './cell.ts';
import { receiveCommand } from './commands.ts';
import {
  handOut,
  receiveConsume,
  receiveJoin,
  receiveLeave,
  receiveSettle,
  receiveWant,
} from './consuming.ts';
import { fedAfterLoad, receiveFeed } from './feeding.ts';
import type { Gate } from './gate.ts';
import { refusalMessage, refusalOf, stopped, unreadable, type Outlet } from './outlet.ts';
import { Reader } from './reader.ts';
import type { Instead, Runtime } from './runtime.ts';
import type { ShardCounts } from './shard-metrics.ts';
import type { SnapshotRounds } from './snapshot-rounds.ts';
import type { SnapshotStore } from './snapshot-store.ts';
import { receiveAcknowledge, receiveRejoin, receiveReplay, receiveSubscribe } from './subscribing.ts';
import { Turn, type Output } from './turn.ts';

export interface RunnerLimits extends FaultLimits {
  /** Items waiting for one actor; one more is refused with UNAVAILABLE. */
  readonly mailboxMax: number;
}

export interface RunnerOptions {
  readonly storage: Storage;
  readonly snapshots: SnapshotStore;
  readonly rounds: SnapshotRounds;
  readonly clock: Clock;
  readonly source: () => Source;
  readonly limits: RunnerLimits;
  readonly log: Logger;
  readonly outlet: Outlet;
  readonly gate: Gate<Cell, Output>;
  readonly counts: ShardCounts;
  /** Null when there are no other nodes to tell anything. */
  readonly shared: Shared | null;
}

const readAgainMs = 1_000;
const nobody: Asker = ['', []];

export class Runner implements Runtime {
  readonly #options: RunnerOptions;
  readonly shared: Shared | null;
  handsOut = true;
  readonly #reader: Reader;

  constructor(options: RunnerOptions) {
    this.#options = options;
    this.shared = options.shared;
    this.#reader = new Reader(options, {
      loaded: (cell) => this.#loaded(cell),
      goesOn: (cell) => this.#continue(cell),
      run: (cell, item, task) => this.#guard(cell, item, task),
      refuse: (cell, item, error) => this.#refuseFor(cell, item, error),
      failed: (cell, error) => this.#giveUp(cell, error),
    });
  }

  /** Whether no actor waits for rows. */
  get idle(): boolean {
    return this.#reader.idle;
  }

  /** The item's turn comes when those before it have had theirs. */
  deliver(cell: Cell, item: Item): void {
    if (isRefusable(item) && this.#isOverloaded(cell, item.edge)) return this.answer(item, overloaded());
    if (item.type === 'rejoin') cell.subscribers.rejoin(item.message[3], item.edge, item.message[5]);
    if (cell.phase === 'ready' && cell.mailbox.length === 0) return this.#take(cell, item);
    if (item.type === 'feed') {
      if (cell.feeds?.has(item.stream)) return;
      (cell.feeds ??= new Set()).add(item.stream);
    }
    cell.mailbox.push(item);
    if (cell.phase === 'cold') this.#reader.load(cell);
  }

  /** Refuses what has no actor to wait for. */
  answer(item: Item, refusal: Refusal): void {
    if (!isSilent(item)) this.#options.outlet.send(item.edge, refusalMessage(item, refusal));
  }

  now(): number {
    return this.#options.clock.now();
  }

  turn(cell: Cell, asker: Asker, params: Params | null, edge = 0): Turn {
    const { key, id, kind, state, subscribers } = cell;
    return new Turn({
      kind,
      actor: key,
      id,
      state,
      asker,
      edge,
      params,
      source: this.#options.source(),
      attachments: cell.attachments,
      shares: this.shared !== null,
      isHeard: (destination) => subscribers.has(destination),
    });
  }

  finish(cell: Cell, turn: Turn, bytes: number): void {
    const { gate } = this.#options;
    const delivered = turn.deliveries?.reduce((sum, { body }) => sum + body.bytes.length, 0) ?? 0;
    if (turn.writes.length > 0) {
      gate.write(cell, turn.writes, bytes + delivered);
      this.#options.rounds.wrote(cell);
    }
    for (const output of turn.outputs) gate.emit(cell, output);
    for (const { delayMs, name } of turn.timers) this.#setTimer(cell, delayMs, name);
    if (turn.tie && cell.tie(turn, turn.tie)) {
      const { attached, detached } = ToEdge;
      this.emit(cell, turn.edge, [turn.tie === 'attach' ? attached : detached, turn.session, cell.key]);
    }
    if (cell.consumers) handOut(this, cell, turn);
    cell.faults = 0;
  }

  publish(cell: Cell, message: PublishMessage): void {
    const to = { destination: message[1], plain: message[4], actor: cell.key };
    this.#options.gate.emit(cell, { to, message, bytes: message[3][2].length });
  }

  emit(cell: Cell, edge: number, message: ToEdgeMessage, bytes = 0, undo?: () => void): void {
    this.#options.gate.emit(cell, { to: { edge }, message, bytes, undo });
  }

  isThere(edge: number): boolean {
    return this.#options.outlet.has(edge);
  }

  /** An actor that lost its state is loaded for its consumers' sake: they wait without asking again. */
  wake(cell: Cell): void {
    if (cell.consumers?.empty !== false) return;
    this.#options.clock.after(readAgainMs, () => this.deliver(cell, { type: 'want' }));
  }

  emitStart(cell: Cell, edge: number, destination: string, start: SubscribedMessage, bytes: number): void {
    const live = start[2];
    if (live) cell.subscribers.add(destination, edge, 1);
    const undo = live ? (): void => cell.subscribers.remove(destination, edge) : undefined;
    this.#options.gate.emit(cell, { to: { edge }, message: start, bytes, undo });
  }

  hold(
    cell: Cell,
    item: Item,
    query: Query,
    then: (rows: readonly never[]) => void,
    instead?: Instead,
  ): void {
    this.#reader.hold(cell, item, { read: () => this.#reader.rows(query, instead), waits: true }, then);
  }

  peek(cell: Cell, item: Item, query: Query, then: (rows: readonly never[]) => void): void {
    this.#reader.hold(cell, item, { read: () => this.#reader.rows(query), waits: false }, then);
  }

  remember(cell: Cell, item: Item, then: () => void): void {
    this.#reader.hold(cell, item, { read: () => this.#reader.seen(cell), waits: true }, (seen) => {
      cell.seen = seen;
      then();
    });
  }

  isSettled(cell: Cell): boolean {
    return this.#options.gate.settled(cell);
  }

  reload(cell: Cell, item: Item): void {
    cell.mailbox.unshift(item);
    cell.chill();
  }

  #isOverloaded(cell: Cell, edge: number): boolean {
    const { limits, gate, outlet, counts } = this.#options;
    if (cell.mailbox.length >= limits.mailboxMax) counts.overload.mailbox.add();
    else if (gate.full) counts.overload.commit.add();
    else if (outlet.full(edge)) counts.overload.link.add();
    else return false;
    return true;
  }

  #loaded(cell: Cell): void {
    for (const stream of fedAfterLoad(cell)) cell.mailbox.unshift({ type: 'feed', stream });
    if (cell.consumers) cell.mailbox.unshift({ type: 'join', key: null });
  }

  /** An actor that can't be read is never taken for an empty one. */
  #giveUp(cell: Cell, error: unknown): void {
    // That the database is away is told once, and not by each actor.
    const level = isUnavailable(error) ? 'debug' : 'error';
    this.#options.log[level]({ err: error, actor: cell.key }, 'actor could not be read');
    cell.chill();
    const kept: Item[] = [];
    for (let item = cell.mailbox.shift(); item; item = cell.mailbox.shift()) {
      if (isSilent(item)) kept.push(item);
      else this.answer(item, unreadable());
    }
    // They keep their place before all that comes: a rejoin must not be live before it has caught up.
    for (const item of kept) cell.mailbox.push(item);
    if (kept.length > 0) this.#options.clock.after(readAgainMs, () => this.#continue(cell));
    else this.wake(cell);
  }

  #continue(cell: Cell): void {
    while (cell.phase === 'ready') {
      const item = cell.mailbox.shift();
      if (!item) return;
      this.#take(cell, item);
    }
    if (cell.phase === 'cold' && cell.mailbox.length > 0) this.#reader.load(cell);
  }

  #take(cell: Cell, item: Item): void {
    const now = this.now();
    cell.lastUsedMs = now;
    if (cell.stoppedUntilMs > now && !isSilent(item)) return this.answer(item, stopped());
    this.#guard(cell, item, () => {
      switch (item.type) {
        case 'command':
          return receiveCommand(this, cell, item);
        case 'subscribe':
          if (cell.kind.consumers) return receiveConsume(this, cell, item);
          return receiveSubscribe(this, cell, item);
        case 'replay':
          return receiveReplay(this, cell, item);
        case 'acknowledge':
          return receiveAcknowledge(this, cell, item);
        case 'rejoin':
          return receiveRejoin(this, cell, item);
        case 'feed':
          cell.feeds?.delete(item.stream);
          return cell.kind.consumers ? this.#loadAgain(cell) : receiveFeed(this, cell, item);
        case 'timer':
          return this.#fire(cell, item);
        case 'attachments':
          return this.#run(cell, (turn) => cell.kind.attachments?.(cell.state as never, turn, item.change));
        case 'settle':
          return receiveSettle(this, cell, item);
        case 'join':
          return receiveJoin(this, cell, item);
        case 'leave':
          return receiveLeave(this, cell, item);
        case 'want':
          return receiveWant(this, cell, item);
        case 'drain':
          return this.#run(cell, (turn) => cell.kind.drain?.(cell.state as never, turn));
      }
    });
  }

  #guard(cell: Cell, item: Item, task: () => void): void {
    try {
      task();
    } catch (thrown) {
      if (!(thrown instanceof Refusal)) this.#fault(cell, thrown);
      this.#refuseFor(cell, item, thrown);
    }
  }

  #fault(cell: Cell, thrown: unknown): void {
    const { limits, log, counts } = this.#options;
    counts.turnFaults.add();
    log.error({ err: thrown, actor: cell.key }, 'turn failed, the actor is loaded again');
    cell.fault(this.now(), limits);
    this.wake(cell);
  }

  /** Others have changed what the state stands for. */
  #loadAgain(cell: Cell): void {
    cell.chill();
    this.deliver(cell, { type: 'want' });
  }

  /** A turn that nobody asked for. */
  #run(cell: Cell, task: (turn: Turn) => undefined): void {
    const turn = this.turn(cell, nobody, null);
    task(turn);
    this.finish(cell, turn, 0);
  }

  #fire(cell: Cell, { name, timer }: Extract<Item, { type: 'timer' }>): void {
    // Set again or lost while it lay in the mailbox.
    if (!cell.takeTimer(name, timer)) return;
    this.#run(cell, (turn) => cell.kind.timers?.[name]?.(cell.state as never, turn));
  }

  #setTimer(cell: Cell, delayMs: number, name: string): void {
    const ring = (): void => this.deliver(cell, { type: 'timer', name, timer });
    const timer: Timer = this.#options.clock.after(delayMs, ring);
    cell.setTimer(name, timer);
  }

  /** In order with what the actor sent before: behind the gate. */
  #refuseFor(cell: Cell, item: Item, thrown: unknown): void {
    // What can't be told at all is given up: better a gap than nothing from now on.
    if (item.type === 'rejoin') return cell.subscribers.rejoined(item.message[3], item.edge);
    if (isSilent(item)) return;
    this.emit(cell, item.edge, refusalMessage(item, refusalOf(cell, item, thrown, this.now())));
  }
}
