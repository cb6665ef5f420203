// A shard: the actors of one thread. Takes messages from edges, gives each actor its turns one at a time, and lets
// out what they send when it is committed. Knows no kind, no socket and no database.
import type { Logger } from 'pino';
import { Refusal } from '../errors.ts';
import type { Clock } from '../lib/clock.ts';
import {
  ToShard,
  type Asker,
  type Params,
  type RejoinMessage,
  type SubscribedMessage,
  type ToEdgeMessage,
  type ToShardMessage,
} from '../link/messages.ts';
import type { Query, Storage } from '../storage/storage.ts';
import type { AnyKind, Source } from './actor.ts';
import { Cell, type Item } from './cell.ts';
import { receiveCommand } from './commands.ts';
import { Gate, type GateLimits } from './gate.ts';
import {
  asRefusal,
  Outlet,
  overloaded,
  refusalMessage,
  stopped,
  unreadable,
  type EdgePort,
} from './outlet.ts';
import { parseActorKey } from './route.ts';
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
const rejoinAgainMs = 1_000;

export class Shard {
  readonly #options: ShardOptions;
  readonly #kinds: ReadonlyMap<string, AnyKind>;
  readonly #cells = new Map<string, Cell>();
  readonly #outlet = new Outlet();
  readonly #gate: Gate<Cell, Output>;
  /** Actors that wait for rows. */
  #holding = 0;

  constructor(options: ShardOptions) {
    this.#options = options;
    this.#kinds = new Map(options.kinds.map((kind) => [kind.name, kind]));
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
    options.clock.every(Math.max(1_000, options.limits.idleMs / 4), () =>
      this.#passivate(options.limits.idleMs),
    );
  }

  /** Whether every command is answered and every write committed. */
  get idle(): boolean {
    return this.#gate.idle && this.#holding === 0;
  }

  addEdge(edge: number, port: EdgePort): void {
    this.#outlet.add(edge, port);
  }

  removeEdge(edge: number): void {
    this.#outlet.remove(edge);
    for (const cell of this.#cells.values()) cell.subscribers.removeEdge(edge);
  }

  receive(edge: number, message: ToShardMessage): void {
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
    }
  }

  now(): number {
    return this.#options.clock.now();
  }

  /** A turn of this actor that has not happened yet. */
  turn(cell: Cell, asker: Asker, params: Params | null): Turn {
    const { clock, ids } = this.#options;
    return new Turn({
      kind: cell.kind,
      actor: cell.key,
      id: cell.id,
      state: cell.state,
      asker,
      params,
      source: { now: clock.now(), newId: ids.newId, newEpoch: ids.newEpoch },
    });
  }

  /** The turn has ended well: its writes go to the next commit, what it sends waits for that. */
  finish(cell: Cell, turn: Turn, bytes: number): void {
    if (turn.writes.length > 0) this.#gate.write(cell, turn.writes, bytes);
    for (const output of turn.outputs) this.#gate.emit(cell, output);
    for (const { delayMs, name } of turn.timers) this.#setTimer(cell, delayMs, name);
    cell.faults = 0;
  }

  /** Sends to one edge, once all that the actor has written up to now is committed. */
  emit(cell: Cell, edge: number, message: ToEdgeMessage, bytes = 0): void {
    this.#gate.emit(cell, { to: { edge }, message, bytes });
  }

  /** Sends a subscription's start; when it is live, the edge hears of every later message of the destination. */
  emitStart(cell: Cell, edge: number, destination: string, start: SubscribedMessage, bytes: number): void {
    const live = start[2];
    if (live) cell.subscribers.add(destination, edge, 1);
    const undo = live ? (): void => cell.subscribers.remove(destination, edge) : undefined;
    this.#gate.emit(cell, { to: { edge }, message: start, bytes, undo });
  }

  /**
   * Reads rows for an item while those behind it wait; the actor's earlier writes are in what is read. When the
   * actor had to be loaded again meanwhile, the item is taken from the start.
   */
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
        (error: unknown) => resume(() => this.#refuseFor(cell, item, error)),
      );
    });
  }

  #deliver(key: string, item: Item): void {
    const cell = this.#cells.get(key) ?? this.#newCell(key);
    if (!cell || cell.mailbox.length >= this.#options.limits.mailboxMax || this.#overloaded(item)) {
      this.#answer(item, overloaded());
      return;
    }
    if (cell.phase === 'ready' && cell.mailbox.length === 0) {
      this.#take(cell, item);
      return;
    }
    cell.mailbox.push(item);
    if (cell.phase === 'cold') this.#load(cell);
  }

  #overloaded(item: Item): boolean {
    // Those that make up for a lost shard are never refused: nobody would ask again.
    if (item.type === 'rejoin') return false;
    if (this.#gate.full) return true;
    return item.type !== 'timer' && this.#outlet.full(item.edge);
  }

  #newCell(key: string): Cell | undefined {
    if (this.#cells.size >= this.#options.limits.actorsMax) this.#passivate(0);
    if (this.#cells.size >= this.#options.limits.actorsMax) return undefined;
    const { kind: name, id } = parseActorKey(key);
    const kind = this.#kinds.get(name);
    if (!kind) return undefined;
    const cell = new Cell(key, id, kind, this.#options.clock.now());
    this.#cells.set(key, cell);
    return cell;
  }

  #load(cell: Cell): void {
    cell.phase = 'loading';
    this.#holding += 1;
    this.#gate.whenSettled(cell, () => {
      const parts = Object.entries(cell.kind.load(cell.id));
      const reading = parts.map(async ([part, query]) => [part, await this.#options.storage.query(query)]);
      Promise.all(reading)
        .then((rows) => {
          const { clock, ids } = this.#options;
          const source = { now: clock.now(), newId: ids.newId, newEpoch: ids.newEpoch };
          cell.state = cell.kind.start(cell.id, Object.fromEntries(rows) as never, source);
          cell.phase = 'ready';
        })
        .catch((error: unknown) => {
          // An actor that can't be loaded is never taken for an empty one.
          this.#options.log.error({ err: error, actor: cell.key }, 'actor could not be loaded');
          cell.chill();
          this.#refuseAll(cell, unreadable());
        })
        .finally(() => {
          this.#holding -= 1;
          this.#continue(cell);
        });
    });
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
          return this.#fire(cell, item.name);
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

  #fire(cell: Cell, name: string): void {
    cell.timers.delete(name);
    const turn = this.turn(cell, ['', []], null);
    cell.kind.timers?.[name]?.(cell.state as never, turn);
    this.finish(cell, turn, 0);
  }

  #setTimer(cell: Cell, delayMs: number, name: string): void {
    cell.timers.get(name)?.cancel();
    const task = (): void => this.#deliver(cell.key, { type: 'timer', name });
    cell.timers.set(name, this.#options.clock.after(delayMs, task));
  }

  /** In order with what the actor sent before: behind the gate. */
  #refuseFor(cell: Cell, item: Item, thrown: unknown): void {
    if (item.type === 'timer') return;
    if (item.type === 'rejoin') {
      // Its subscribers are counted; what is still owed is what they missed.
      const [op, actor, stream, destination, params, , epoch, after] = item.message;
      return this.#again(item.edge, [op, actor, stream, destination, params, 0, epoch, after]);
    }
    const { code, message, detail } = asRefusal(thrown);
    // What could not be made has no id to be told.
    const isNew = item.type === 'command' && cell.kind.commands[item.message[3]]?.id === 'new';
    const its = isNew ? undefined : cell.kind.refusalDetail?.(cell.id);
    const refusal = new Refusal(code, message, { ...its, ...detail });
    this.emit(cell, item.edge, refusalMessage(item, refusal));
  }

  #refuseAll(cell: Cell, refusal: Refusal): void {
    for (let item = cell.mailbox.shift(); item; item = cell.mailbox.shift()) this.#answer(item, refusal);
  }

  #answer(item: Item, refusal: Refusal): void {
    if (item.type === 'rejoin') this.#again(item.edge, item.message);
    else if (item.type !== 'timer') this.#outlet.send(item.edge, refusalMessage(item, refusal));
  }

  /** Nobody else would ask again for the subscriptions of a lost shard. */
  #again(edge: number, message: RejoinMessage): void {
    this.#options.clock.after(rejoinAgainMs, () => this.receive(edge, message));
  }

  #release(output: Output): void {
    const { to } = output;
    this.#outlet.release(output, 'actor' in to ? this.#cells.get(to.actor)?.subscribers : undefined);
  }

  #passivate(idleMs: number): void {
    const before = this.#options.clock.now() - idleMs;
    for (const cell of this.#cells.values()) {
      if (cell.lastUsedMs > before || cell.mailbox.length > 0 || cell.timers.size > 0) continue;
      if (cell.phase === 'loading' || cell.phase === 'holding' || !this.#gate.settled(cell)) continue;
      if (cell.stoppedUntilMs > before) continue;
      cell.chill();
      if (cell.subscribers.empty) this.#cells.delete(cell.key);
    }
  }
}
