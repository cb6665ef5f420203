// A shard: the actors of one thread. Takes messages from edges, gives each actor its turns one at a time, and lets
// out what they send when it is committed. Knows no kind, no socket and no database.
import type { Logger } from 'pino';
import { Refusal } from '../errors.ts';
import type { Clock } from '../lib/clock.ts';
import {
  ToEdge,
  ToShard,
  type Asker,
  type Params,
  type SubscribedMessage,
  type ToEdgeMessage,
  type ToShardMessage,
} from '../link/messages.ts';
import { StorageError, type Query, type Storage } from '../storage/storage.ts';
import type { AnyKind, Source } from './actor.ts';
import { Cell, type Item } from './cell.ts';
import { receiveCommand } from './commands.ts';
import { Gate, type GateLimits } from './gate.ts';
import { parseActorKey } from './route.ts';
import { receiveAcknowledge, receiveRejoin, receiveReplay, receiveSubscribe } from './subscribing.ts';
import { asRefusal, Turn, type Output } from './turn.ts';

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

/** The way to one edge. */
export interface EdgePort {
  send(message: ToEdgeMessage, bytes: number): void;
  readonly full: boolean;
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
  readonly #edges = new Map<number, EdgePort>();
  readonly #edgesWithWildcards = new Set<number>();
  readonly #gate: Gate<Cell, Output>;
  /** Actors that wait for rows. */
  #holding = 0;

  constructor(options: ShardOptions) {
    this.#options = options;
    this.#kinds = new Map(options.kinds.map((kind) => [kind.name, kind]));
    this.#gate = new Gate(options.storage, options.limits, {
      release: (output) => this.#release(output),
      lost: (output, error) => this.#lost(output, error),
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
    this.#edges.set(edge, port);
  }

  removeEdge(edge: number): void {
    this.#edges.delete(edge);
    this.#edgesWithWildcards.delete(edge);
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
        if (message[1]) this.#edgesWithWildcards.add(edge);
        else this.#edgesWithWildcards.delete(edge);
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
      this.#answer(item, new Refusal('UNAVAILABLE', 'The server is overloaded, try again later.'));
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
    return item.type !== 'timer' && this.#edges.get(item.edge)?.full === true;
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
          this.#refuseAll(cell, new Refusal('UNAVAILABLE', 'This can not be read at the moment.'));
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
      this.#answer(item, new Refusal('UNAVAILABLE', 'This is stopped for a while after repeated faults.'));
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
    const refusal = thrown instanceof StorageError ? unreadable() : asRefusal(thrown);
    const detail = { ...cell.kind.refusalDetail?.(cell.id), ...refusal.detail };
    const message = refusalMessage(item, new Refusal(refusal.code, refusal.message, detail));
    if (message && item.type !== 'timer') this.emit(cell, item.edge, message);
  }

  #refuseAll(cell: Cell, refusal: Refusal): void {
    for (let item = cell.mailbox.shift(); item; item = cell.mailbox.shift()) this.#answer(item, refusal);
  }

  #answer(item: Item, refusal: Refusal): void {
    if (item.type === 'rejoin') {
      // Nobody else would ask again for the subscriptions of a lost shard.
      const again = (): void => this.receive(item.edge, item.message);
      this.#options.clock.after(rejoinAgainMs, again);
      return;
    }
    const message = refusalMessage(item, refusal);
    if (message && item.type !== 'timer') this.#edges.get(item.edge)?.send(message, 0);
  }

  #release({ to, message, bytes }: Output): void {
    if ('edge' in to) {
      this.#edges.get(to.edge)?.send(message, bytes);
      return;
    }
    const subscribers = this.#cells.get(to.actor)?.subscribers;
    if (!to.plain || this.#edgesWithWildcards.size === 0) {
      for (const edge of subscribers?.edges(to.destination) ?? []) {
        this.#edges.get(edge)?.send(message, bytes);
      }
      return;
    }
    const edges = new Set([...this.#edgesWithWildcards, ...(subscribers?.edges(to.destination) ?? [])]);
    for (const edge of edges) this.#edges.get(edge)?.send(message, bytes);
  }

  /** Answers became refusals; what was for subscribers never happened. */
  #lost({ to, message, undo }: Output, error: StorageError): void {
    undo?.();
    if (!('edge' in to)) return;
    const port = this.#edges.get(to.edge);
    const refusal =
      error.reason === 'CONSTRAINT'
        ? new Refusal('CONFLICT', 'This exists already.')
        : new Refusal('UNAVAILABLE', 'This could not be stored, try again later.');
    const { code, message: text, detail } = refusal;
    if (message[0] === ToEdge.reply) port?.send([ToEdge.refuse, message[1], code, text, detail], 0);
    else if (message[0] === ToEdge.subscribed) {
      port?.send([ToEdge.refuseSubscription, message[1], code, text, detail], 0);
    } else port?.send(message, 0);
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

function unreadable(): Refusal {
  return new Refusal('UNAVAILABLE', 'This can not be read at the moment.');
}

function refusalMessage(item: Item, { code, message, detail }: Refusal): ToEdgeMessage | undefined {
  switch (item.type) {
    case 'command':
    case 'acknowledge':
      return [ToEdge.refuse, item.message[1], code, message, detail];
    case 'subscribe':
    case 'replay':
      return [ToEdge.refuseSubscription, item.message[1], code, message, detail];
    case 'rejoin':
    case 'timer':
      return undefined;
  }
}
