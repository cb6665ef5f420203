// A shard: the actors of one thread. Takes messages from edges, gives each actor its turns one at a time, and lets
// out what they send when it is committed. Knows no kind, no socket and no database.
import type { Logger } from 'pino';
import { overloaded, Refusal } from '../errors.ts';
import type { Clock, Timer } from '../lib/clock.ts';
import {
  ToEdge,
  ToShard,
  type Asker,
  type Params,
  type SubscribedMessage,
  type ToEdgeMessage,
  type ToShardMessage,
} from '../link/messages.ts';
import type { Query, Storage } from '../storage/storage.ts';
import type { AnyKind, Source } from './actor.ts';
import type { Cell, Item } from './cell.ts';
import { Cells } from './cells.ts';
import { receiveCommand } from './commands.ts';
import { Gate, type GateLimits } from './gate.ts';
import { asRefusal, Outlet, refusalMessage, stopped, unreadable, type EdgePort } from './outlet.ts';
import type { Runtime } from './runtime.ts';
import { receiveAcknowledge, receiveRejoin, receiveReplay, receiveSubscribe } from './subscribing.ts';
import { Turn, type Output } from './turn.ts';

export interface ShardLimits extends GateLimits {
  /** Items waiting for one actor; one more is refused with UNAVAILABLE. */
  readonly mailboxMax: number;
  /** Actors in memory; when none of them can be let go, one more is refused with UNAVAILABLE. */
  readonly actorsMax: number;
  /** An actor without work for this long leaves memory. */
  readonly idleMs: number;
  /** Faults in a row after which an actor is stopped for a while. */
  readonly faultsMax: number;
  /** How long it is stopped the first time; doubled each time, up to a minute. */
  readonly stopMs: number;
}

export interface ShardOptions {
  readonly kinds: readonly AnyKind[];
  readonly storage: Storage;
  readonly clock: Clock;
  readonly ids: Pick<Source, 'newId' | 'newEpoch'>;
  readonly limits: ShardLimits;
  readonly log: Logger;
}

const stopMsMax = 60_000;
const readAgainMs = 1_000;

export class Shard implements Runtime {
  readonly #options: ShardOptions;
  readonly #cells: Cells;
  readonly #outlet = new Outlet();
  readonly #gate: Gate<Cell, Output>;
  /** Actors that wait for rows. */
  #holding = 0;

  constructor(options: ShardOptions) {
    this.#options = options;
    this.#gate = new Gate(options.storage, options.limits, {
      release: (output) => this.#release(output),
      // Waiting for the links' own end of the turn would cost one more round of the event loop.
      settled: () => this.#outlet.flush(),
      lost: (output, error) => this.#outlet.lose(output, error),
      failed: (cell, error) => {
        options.log.error({ err: error, actor: cell.key }, 'commit failed, the actor is loaded again');
        if (cell.phase === 'ready') cell.chill();
        else cell.state = undefined;
      },
    });
    const { clock, kinds, limits } = options;
    const settled = (cell: Cell): boolean => this.#gate.settled(cell);
    this.#cells = new Cells({ kinds, actorsMax: limits.actorsMax, settled });
    clock.every(Math.max(1_000, limits.idleMs / 4), () =>
      this.#cells.passivate(clock.now() - limits.idleMs, clock.now()),
    );
  }

  /** Whether every command is answered and every write committed. */
  get idle(): boolean {
    return this.#gate.idle && this.#holding === 0;
  }

  /** Joins the edge of that index; one that had the index before is gone. */
  addEdge(index: number, port: EdgePort): void {
    this.removeEdge(index);
    this.#outlet.add(index, port);
  }

  removeEdge(index: number): void {
    const edge = this.#outlet.numberOf(index);
    if (edge === 0) return;
    this.#outlet.remove(index);
    for (const cell of this.#cells.all()) cell.subscribers.removeEdge(edge);
  }

  receive(index: number, message: ToShardMessage): void {
    const edge = this.#outlet.numberOf(index);
    switch (message[0]) {
      case ToShard.command:
        return this.#deliver(message[2], { type: 'command', edge, message });
      case ToShard.subscribe:
        return this.#deliver(message[2], { type: 'subscribe', edge, message });
      case ToShard.replay:
        return this.#deliver(message[2], { type: 'replay', edge, message });
      case ToShard.acknowledge:
        return this.#deliver(message[2], { type: 'acknowledge', edge, message });
      case ToShard.rejoin:
        return this.#deliver(message[1], { type: 'rejoin', edge, message });
      case ToShard.unsubscribe:
        this.#cells.get(message[1])?.subscribers.remove(message[2], edge);
        return;
      case ToShard.wildcards:
        this.#outlet.setWildcards(edge, message[1]);
        if (message[2]) this.#outlet.send(edge, [ToEdge.reply, message[2], null]);
    }
  }

  now(): number {
    return this.#options.clock.now();
  }

  turn(cell: Cell, asker: Asker, params: Params | null): Turn {
    return new Turn({
      kind: cell.kind,
      actor: cell.key,
      id: cell.id,
      state: cell.state,
      asker,
      params,
      source: this.#source(),
    });
  }

  finish(cell: Cell, turn: Turn, bytes: number): void {
    if (turn.writes.length > 0) this.#gate.write(cell, turn.writes, bytes);
    for (const output of turn.outputs) this.#gate.emit(cell, output);
    for (const { delayMs, name } of turn.timers) this.#setTimer(cell, delayMs, name);
    cell.faults = 0;
  }

  emit(cell: Cell, edge: number, message: ToEdgeMessage, bytes = 0): void {
    this.#gate.emit(cell, { to: { edge }, message, bytes });
  }

  emitStart(cell: Cell, edge: number, destination: string, start: SubscribedMessage, bytes: number): void {
    const live = start[2];
    if (live) cell.subscribers.add(destination, edge, 1);
    const undo = live ? (): void => cell.subscribers.remove(destination, edge) : undefined;
    this.#gate.emit(cell, { to: { edge }, message: start, bytes, undo });
  }

  hold(cell: Cell, item: Item, query: Query, then: (rows: readonly never[]) => void): void {
    cell.phase = 'holding';
    this.#holding += 1;
    const resume = (next: () => void): void => {
      this.#holding -= 1;
      if (cell.state === undefined) {
        cell.mailbox.unshift(item);
        cell.chill();
      } else {
        cell.phase = 'ready';
        this.#guard(cell, item, next);
      }
      this.#continue(cell);
    };
    this.#gate.whenSettled(cell, () => {
      this.#options.storage.query(query).then(
        (rows) => resume(() => then(rows as readonly never[])),
        (error: unknown) => {
          if (item.type !== 'rejoin') return resume(() => this.#refuseFor(cell, item, error));
          this.#holding -= 1;
          cell.mailbox.unshift(item);
          return this.#giveUp(cell, error);
        },
      );
    });
  }

  #deliver(key: string, item: Item): void {
    // Nobody would ask again for what a timer does, or for the subscriptions of a lost shard.
    const mayRefuse = item.type !== 'timer' && item.type !== 'rejoin';
    const cell = this.#cells.get(key) ?? this.#cells.make(key, this.now(), mayRefuse);
    if (!cell || (mayRefuse && this.#overloaded(cell, item.edge))) {
      this.#answer(item, overloaded());
      return;
    }
    if (item.type === 'rejoin') cell.subscribers.rejoin(item.message[3], item.edge, item.message[5]);
    if (cell.phase === 'ready' && cell.mailbox.length === 0) {
      this.#take(cell, item);
      return;
    }
    cell.mailbox.push(item);
    if (cell.phase === 'cold') this.#load(cell);
  }

  #overloaded(cell: Cell, edge: number): boolean {
    const mailboxFull = cell.mailbox.length >= this.#options.limits.mailboxMax;
    return mailboxFull || this.#gate.full || this.#outlet.full(edge);
  }

  #load(cell: Cell): void {
    cell.phase = 'loading';
    this.#holding += 1;
    this.#gate.whenSettled(cell, () => {
      const parts = Object.entries(cell.kind.load(cell.id));
      const reading = parts.map(async ([part, query]) => [part, await this.#options.storage.query(query)]);
      Promise.all(reading)
        .then((rows) => {
          cell.state = cell.kind.start(cell.id, Object.fromEntries(rows) as never, this.#source());
          cell.phase = 'ready';
        })
        .then(
          () => {
            this.#holding -= 1;
            this.#continue(cell);
          },
          (error: unknown) => {
            this.#holding -= 1;
            this.#giveUp(cell, error);
          },
        );
    });
  }

  /** An actor that can't be read is never taken for an empty one. */
  #giveUp(cell: Cell, error: unknown): void {
    this.#options.log.error({ err: error, actor: cell.key }, 'actor could not be read');
    cell.chill();
    const rejoins: Item[] = [];
    for (let item = cell.mailbox.shift(); item; item = cell.mailbox.shift()) {
      if (item.type === 'rejoin') rejoins.push(item);
      else this.#answer(item, unreadable());
    }
    // They keep their place before all that comes, which must not be live before they have caught up.
    for (const item of rejoins) cell.mailbox.push(item);
    if (rejoins.length > 0) this.#options.clock.after(readAgainMs, () => this.#continue(cell));
  }

  #continue(cell: Cell): void {
    while (cell.phase === 'ready') {
      const item = cell.mailbox.shift();
      if (!item) return;
      this.#take(cell, item);
    }
    if (cell.phase === 'cold' && cell.mailbox.length > 0) this.#load(cell);
  }

  #take(cell: Cell, item: Item): void {
    const now = this.#options.clock.now();
    cell.lastUsedMs = now;
    if (cell.stoppedUntilMs > now && item.type !== 'rejoin') {
      this.#answer(item, stopped());
      return;
    }
    this.#guard(cell, item, () => {
      switch (item.type) {
        case 'command':
          return receiveCommand(this, cell, item);
        case 'subscribe':
          return receiveSubscribe(this, cell, item);
        case 'replay':
          return receiveReplay(this, cell, item);
        case 'acknowledge':
          return receiveAcknowledge(this, cell, item);
        case 'rejoin':
          return receiveRejoin(this, cell, item);
        case 'timer':
          return this.#fire(cell, item);
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
    const { limits, log, clock } = this.#options;
    log.error({ err: thrown, actor: cell.key }, 'turn failed, the actor is loaded again');
    cell.chill();
    cell.faults += 1;
    if (cell.faults < limits.faultsMax) return;
    const doublings = Math.min(cell.faults - limits.faultsMax, 16);
    cell.stoppedUntilMs = clock.now() + Math.min(limits.stopMs * 2 ** doublings, stopMsMax);
  }

  #fire(cell: Cell, { name, timer }: Extract<Item, { type: 'timer' }>): void {
    // Set again or lost while it lay in the mailbox.
    if (cell.timers.get(name) !== timer) return;
    cell.timers.delete(name);
    const turn = this.turn(cell, ['', []], null);
    cell.kind.timers?.[name]?.(cell.state as never, turn);
    this.finish(cell, turn, 0);
  }

  #setTimer(cell: Cell, delayMs: number, name: string): void {
    cell.timers.get(name)?.cancel();
    const ring = (): void => this.#deliver(cell.key, { type: 'timer', name, timer });
    const timer: Timer = this.#options.clock.after(delayMs, ring);
    cell.timers.set(name, timer);
  }

  /** In order with what the actor sent before: behind the gate. */
  #refuseFor(cell: Cell, item: Item, thrown: unknown): void {
    if (item.type === 'timer') return;
    // What can't be told at all is given up: better a gap than nothing from now on.
    if (item.type === 'rejoin') return cell.subscribers.rejoined(item.message[3], item.edge);
    const { code, message, detail } = asRefusal(thrown);
    // What could not be made has no id to be told.
    const isNew = item.type === 'command' && cell.kind.commands[item.message[3]]?.id === 'new';
    const its = isNew ? undefined : cell.kind.refusalDetail?.(cell.id);
    const refusal = new Refusal(code, message, { ...its, ...detail });
    this.emit(cell, item.edge, refusalMessage(item, refusal));
  }

  #answer(item: Item, refusal: Refusal): void {
    if (item.type === 'timer' || item.type === 'rejoin') return;
    this.#outlet.send(item.edge, refusalMessage(item, refusal));
  }

  #source(): Source {
    const { newId, newEpoch } = this.#options.ids;
    return { now: this.now(), newId, newEpoch };
  }

  #release(output: Output): void {
    const { to } = output;
    this.#outlet.release(output, 'actor' in to ? this.#cells.get(to.actor)?.subscribers : undefined);
  }
}
