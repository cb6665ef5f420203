// A shard: the actors of one thread. Takes messages from edges and other shards, hands them to the actors they are
// for, and lets out what those send when it is committed. Knows no kind, no socket and no database.
import type { Logger } from 'pino';
import { overloaded } from '../errors.ts';
import type { Clock } from '../lib/clock.ts';
import {
  ToEdge,
  ToShard,
  type AttachMessage,
  type JoinMessage,
  type ToPeerMessage,
  type ToShardMessage,
} from '../link/messages.ts';
import type { Shared } from '../storage/shared.ts';
import { isUnavailable, type Storage } from '../storage/storage.ts';
import type { AnyKind, AttachmentChange, KindSettings, Source } from './actor.ts';
import { Attachments } from './attachments.ts';
import { isSilent, type Cell, type Item } from './cell.ts';
import { Cells } from './cells.ts';
import { ConsumerList, consumerKey } from './consumer-list.ts';
import { Exits } from './exits.ts';
import { fedStreams } from './feeding.ts';
import { Gate, type GateLimits } from './gate.ts';
import { Outlet, replaced, type EdgePort } from './outlet.ts';
import { Peers, type PeerPort } from './peers.ts';
import { Runner, type RunnerLimits } from './runner.ts';
import { shardCountsAlone, type ShardCounts } from './shard-metrics.ts';
import { SnapshotRounds } from './snapshot-rounds.ts';
import { SnapshotStore, type Kept } from './snapshot-store.ts';
import type { Output } from './turn.ts';

export interface ShardLimits extends GateLimits, RunnerLimits {
  /** Actors in memory; when none of them can be let go, one more is refused with UNAVAILABLE. */
  readonly actorsMax: number;
  /** An actor without work for this long leaves memory. */
  readonly idleMs: number;
}

export interface ShardOptions {
  readonly kinds: readonly AnyKind[];
  readonly storage: Storage;
  /** What is told to other nodes; to nobody unless given. */
  readonly shared?: Shared | null;
  readonly clock: Clock;
  readonly ids: Pick<Source, 'newId' | 'newEpoch'>;
  readonly settings: KindSettings;
  readonly limits: ShardLimits;
  readonly log: Logger;
  /** What is counted; for nobody unless given. */
  readonly counts?: ShardCounts;
  /** This shard's place among how many; the only one unless given. */
  readonly place?: {
    readonly index: number;
    readonly count: number;
    /** Edges that will say what their consumers hold; nobody is waited for unless given. */
    readonly edges?: number;
  };
}

/** How long edges have for that: one that died is started again, and then has no consumers. */
const joinedWithinMs = 5_000;

const tieAgainMs = 1_000;

/** What other actors send comes from no edge. */
const noEdge = 0;

export class Shard {
  readonly #options: ShardOptions;
  readonly #cells: Cells;
  readonly #outlet = new Outlet();
  readonly #gate: Gate<Cell, Output>;
  readonly #runner: Runner;
  readonly #peers: Peers;
  readonly #exits: Exits;
  readonly #snapshots: SnapshotStore;
  readonly #rounds: SnapshotRounds;
  /** Places of the edges that have said what their consumers hold. */
  readonly #joined = new Set<number>();
  #isDraining = false;
  #isFenced = false;
  readonly #counts: ShardCounts;

  constructor(options: ShardOptions) {
    this.#options = options;
    this.#counts = options.counts ?? shardCountsAlone();
    const { clock, kinds, limits, ids, settings, storage, log, place = { index: 0, count: 1 } } = options;
    this.#gate = new Gate(storage, limits, {
      release: (output) => this.#exits.release(output),
      // Waiting for the links' own end of the turn would cost one more round of the event loop.
      settled: () => this.#outlet.flush(),
      lost: (output, error) => this.#exits.lose(output, error),
      failed: (cell, error) => {
        // That the database is away is told once, and not by each actor.
        const level = isUnavailable(error) ? 'debug' : 'error';
        log[level]({ err: error, actor: cell.key }, 'commit failed, the actor is loaded again');
        if (cell.phase === 'ready') cell.chill();
        else cell.state = undefined;
        this.#runner.wake(cell);
        this.#tieAgain(cell);
      },
    });
    const source = (): Source => ({
      now: clock.now(),
      newId: ids.newId,
      newEpoch: ids.newEpoch,
      settings,
    });
    const outlet = this.#outlet;
    const counts = this.#counts;
    const { shared = null } = options;
    const snapshots = (this.#snapshots = new SnapshotStore({ shared, storage, clock, log }));
    const keep = (cell: Cell, kept: Kept): void => this.#gate.emit(cell, { to: 'snapshots', kept });
    const rounds = (this.#rounds = new SnapshotRounds({ store: snapshots, clock, log, keep }));
    this.#runner = new Runner({
      ...{ storage, snapshots, rounds, shared, clock, source, limits, log, outlet, counts },
      gate: this.#gate,
    });
    this.#peers = new Peers({ ...place, deliver: (message) => this.receive(noEdge, message) });
    if (place.edges) {
      this.#runner.handsOut = false;
      clock.after(joinedWithinMs, () => this.#allJoined());
    }
    this.#exits = new Exits({
      ...{ outlet, snapshots, shared, counts },
      peers: this.#peers,
      cellOf: (actor) => this.#cells.get(actor),
      withheld: (cell, stream) => this.#runner.deliver(cell, { type: 'feed', stream }),
    });
    const settled = (cell: Cell): boolean => this.#gate.settled(cell);
    this.#cells = new Cells({
      ...{ kinds, actorsMax: limits.actorsMax, settled },
      leaves: (cell) => rounds.leaves(cell),
    });
    clock.every(Math.max(1_000, limits.idleMs / 4), () =>
      this.#cells.passivate(clock.now() - limits.idleMs, clock.now()),
    );
  }

  /** Whether every command is answered and every write committed. */
  get idle(): boolean {
    return this.#gate.idle && this.#runner.idle && this.#peers.idle && this.#snapshots.idle;
  }

  /** Actors in memory. */
  get actorCount(): number {
    return this.#cells.size;
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
    this.#joined.delete(index);
    for (const cell of this.#cells.all()) {
      cell.subscribers.removeEdge(edge);
      this.#leave(cell, cell.consumers?.of(edge).map(({ key }) => key) ?? []);
      for (const gone of cell.attachments?.removeEdge(edge) ?? [])
        this.#tied(cell, { came: null, gone, isAgain: false });
    }
  }

  addPeer(index: number, port: PeerPort): void {
    this.#peers.add(index, port);
  }

  /** The shard is gone, and with it maybe the word of what its actors had appended. */
  removePeer(index: number): void {
    this.#peers.remove(index);
    for (const cell of this.#cells.all()) {
      if (cell.consumers?.empty === false) this.#runner.deliver(cell, { type: 'feed', stream: '' });
      if (cell.subscribers.empty) continue;
      for (const [stream] of fedStreams(cell.kind)) this.#runner.deliver(cell, { type: 'feed', stream });
    }
  }

  /** Gives every actor in memory its last turn, and a snapshot where one is due. */
  drain(): void {
    for (const cell of this.#cells.all()) {
      if (cell.kind.drain && cell.phase !== 'cold') this.#runner.deliver(cell, { type: 'drain' });
    }
    this.#rounds.drain();
  }

  /**
   * Another server owns the actors from now on, so that what is in memory here may be old: whatever is asked is refused.
   * What was committed before still goes out.
   */
  fence(): void {
    this.#isFenced = true;
    this.#rounds.end();
  }

  /** @param index the edge's place; ignored for what shards send. */
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
        return this.#rejoin(message[1], { type: 'rejoin', edge, message });
      case ToShard.unsubscribe:
        this.#cells.get(message[1])?.subscribers.remove(message[2], edge);
        return;
      case ToShard.wildcards:
        this.#outlet.setWildcards(edge, message[1]);
        if (message[2]) this.#outlet.send(edge, [ToEdge.reply, message[2], null]);
        return;
      case ToShard.attach:
        return this.#attach(edge, message);
      case ToShard.detach: {
        const cell = this.#cells.get(message[1]);
        const gone = cell?.attachments?.remove(message[2]) ?? null;
        if (cell && gone) this.#tied(cell, { came: null, gone, isAgain: false });
        return;
      }
      case ToShard.settle:
        return this.#deliver(message[2], { type: 'settle', edge, message });
      case ToShard.leave: {
        const cell = this.#cells.get(message[1]);
        if (cell) this.#leave(cell, [consumerKey(edge, message[2])]);
        return;
      }
      case ToShard.retire:
        this.#isDraining = true;
        this.#runner.handsOut = false;
        for (const cell of this.#cells.all()) {
          this.#leave(cell, cell.consumers?.present().map(({ key }) => key) ?? []);
        }
        return;
      case ToShard.join:
        return this.#join(edge, message);
      case ToShard.joined:
        this.#joined.add(index);
        if (this.#joined.size >= (this.#options.place?.edges ?? 0)) this.#allJoined();
        return;
      default:
        return this.receiveFromPeer(message);
    }
  }

  receiveFromPeer(message: ToPeerMessage): void {
    switch (message[0]) {
      case ToShard.tell: {
        const [, actor, command, body] = message;
        const asked = [ToShard.command, 0, actor, command, ['', []], null, null, null, body, true] as const;
        return this.#deliver(actor, { type: 'command', edge: noEdge, message: asked });
      }
      case ToShard.relay:
        return this.#exits.relay(message);
      case ToShard.feed: {
        // Without one there are no subscribers, and whoever comes finds everything in the database.
        const cell = this.#cells.get(message[1]);
        if (cell) this.#runner.deliver(cell, { type: 'feed', stream: message[2] });
      }
    }
  }

  #deliver(key: string, item: Item): void {
    if (this.#isFenced) return this.#runner.answer(item, replaced());
    const cell = this.#cells.get(key) ?? this.#cells.make(key, this.#options.clock.now(), !isSilent(item));
    if (cell) this.#runner.deliver(cell, item);
    else {
      this.#counts.overload.actors.add();
      this.#runner.answer(item, overloaded());
    }
  }

  #rejoin(key: string, item: Item): void {
    const cell = this.#cells.get(key) ?? this.#cells.make(key, this.#options.clock.now(), false);
    if (!cell) return;
    // The subscribers were told of sessions by another shard, and some may have ended since. The actor hears of that
    // before it is asked how things are.
    this.#tied(cell, { came: null, gone: null, isAgain: true });
    this.#runner.deliver(cell, item);
  }

  #join(edge: number, [, actor, number, window, held]: JoinMessage): void {
    const cell = this.#cells.get(actor) ?? this.#cells.make(actor, this.#options.clock.now(), false);
    if (!cell) return;
    const { key } = (cell.consumers ??= new ConsumerList()).add(edge, number, window, held);
    if (this.#runner.handsOut) this.#runner.deliver(cell, { type: 'join', key });
  }

  #leave(cell: Cell, keys: readonly string[]): void {
    if (keys.length === 0) return;
    let isKnown = false;
    for (const key of keys) {
      const consumer = cell.consumers?.get(key);
      if (!consumer) continue;
      consumer.isGone = true;
      isKnown = true;
    }
    // It may lie in the mailbox still.
    if (isKnown || cell.mailbox.length > 0) this.#runner.deliver(cell, { type: 'leave', keys });
  }

  #allJoined(): void {
    if (this.#runner.handsOut || this.#isDraining) return;
    this.#runner.handsOut = true;
    for (const cell of this.#cells.all()) {
      if (cell.consumers?.empty === false) this.#runner.deliver(cell, { type: 'join', key: null });
    }
  }

  #attach(edge: number, [, actor, session, user, isAgain]: AttachMessage): void {
    const cell = this.#cells.get(actor) ?? this.#cells.make(actor, this.#options.clock.now(), false);
    if (!cell) return;
    (cell.attachments ??= new Attachments()).add(session, user, edge);
    this.#tied(cell, { came: { session, user }, gone: null, isAgain });
  }

  #tied(cell: Cell, change: AttachmentChange): void {
    if (cell.kind.attachments) this.#runner.deliver(cell, { type: 'attachments', change });
  }

  /** What the actor was about to tell of its sessions is lost. Not at once, as it might be lost again. */
  #tieAgain(cell: Cell): void {
    if (!cell.kind.attachments || cell.isTyingAgain) return;
    cell.isTyingAgain = true;
    this.#options.clock.after(tieAgainMs, () => {
      cell.isTyingAgain = false;
      this.#tied(cell, { came: null, gone: null, isAgain: true });
    });
  }
}
