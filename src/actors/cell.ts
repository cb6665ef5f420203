// One actor as the shard holds it: its state, its mailbox and what the runtime knows of it.
import type { Timer } from '../lib/clock.ts';
import { Queue } from '../lib/queue.ts';
import type {
  AcknowledgeMessage,
  CommandMessage,
  RejoinMessage,
  ReplayMessage,
  SettleMessage,
  SubscribeMessage,
} from '../link/messages.ts';
import type { AnyKind, AttachmentChange } from './actor.ts';
import { Attachments } from './attachments.ts';
import type { ConsumerList } from './consumer-list.ts';
import type { Writer } from './gate.ts';
import type { Seen } from './seen.ts';
import { Subscribers } from './subscribers.ts';

/** What can lie in a mailbox. */
export type Item =
  | { readonly type: 'command'; readonly edge: number; readonly message: CommandMessage }
  | { readonly type: 'subscribe'; readonly edge: number; readonly message: SubscribeMessage }
  | { readonly type: 'replay'; readonly edge: number; readonly message: ReplayMessage }
  | { readonly type: 'acknowledge'; readonly edge: number; readonly message: AcknowledgeMessage }
  | { readonly type: 'rejoin'; readonly edge: number; readonly message: RejoinMessage }
  | { readonly type: 'timer'; readonly name: string; readonly timer: Timer }
  /** Others have appended to a stream of the actor, or may have. */
  | { readonly type: 'feed'; readonly stream: string }
  /** Sessions came or went. */
  | { readonly type: 'attachments'; readonly change: AttachmentChange }
  | { readonly type: 'drain' }
  | { readonly type: 'settle'; readonly edge: number; readonly message: SettleMessage }
  /** The state does not know of this consumer yet, or of none of them. */
  | { readonly type: 'join'; readonly key: string | null }
  | { readonly type: 'leave'; readonly keys: readonly string[] }
  /** The state may want rows. */
  | { readonly type: 'want' };

/** What nobody waits for: never refused, and given up without a word. */
export type Silent = Extract<
  Item,
  { type: 'timer' | 'rejoin' | 'feed' | 'attachments' | 'drain' | 'join' | 'leave' | 'want' }
>;
/** What is answered or refused. */
export type Asking = Exclude<Item, Silent>;

export function isSilent(item: Item): item is Silent {
  return !('edge' in item) || item.type === 'rejoin';
}

/** What settles messages is bounded by what was delivered, and must not be lost. */
export function isRefusable(item: Item): item is Exclude<Asking, { type: 'settle' }> {
  return !isSilent(item) && item.type !== 'settle';
}

/** How far a stream was published: one that others append to, or one of which a message was withheld. */
export interface Fed {
  readonly epoch: string;
  readonly seq: number;
}

/**
 * - `cold`: no state in memory; the next item loads it.
 * - `loading`: the rows it starts from are being read.
 * - `ready`: takes turns.
 * - `holding`: an item waits for rows; those behind it wait too, so order is kept.
 */
export type Phase = 'cold' | 'loading' | 'ready' | 'holding';

export interface FaultLimits {
  /** Faults in a row after which an actor is stopped for a while. */
  readonly faultsMax: number;
  /** How long it is stopped the first time; doubled each time, up to a minute. */
  readonly stopMs: number;
}

const stopMsMax = 60_000;

export class Cell implements Writer {
  readonly key: string;
  readonly id: string;
  readonly kind: AnyKind;
  readonly mailbox = new Queue<Item>();
  readonly subscribers = new Subscribers();
  // What few actors have is made with the first of it: there may be very many actors.
  attachments: Attachments | null = null;
  consumers: ConsumerList | null = null;
  /** By stream; outlives the state as the subscribers do, who must not miss what came meanwhile. */
  fed: Map<string, Fed> | null = null;
  /** Streams for which a `feed` lies in the mailbox: one finds all that came before it. */
  feeds: Set<string> | null = null;
  timers: Map<string, Timer> | null = null;
  /** Whether the actor will be told of its sessions again: what it told of them last may be lost. */
  isTyingAgain = false;
  phase: Phase = 'cold';
  state: unknown = undefined;
  /** Read when the first command with an idempotency key comes. */
  seen: Seen | null = null;
  ticket = 0;
  /** Of the newest snapshot; 0 before the first. */
  snapshotBytes = 0;
  /** Rows to read for a page of a replay; null before the first. */
  pageRows: number | null = null;
  lastUsedMs: number;
  /** Faults in a row, and until when the actor is stopped because of them. */
  faults = 0;
  stoppedUntilMs = 0;

  constructor(key: string, id: string, kind: AnyKind, nowMs: number) {
    this.key = key;
    this.id = id;
    this.kind = kind;
    this.lastUsedMs = nowMs;
  }

  /** Whether anyone is tied to the actor: then it must be found again, with or without its state. */
  get isTied(): boolean {
    const isAttached = this.attachments?.empty === false;
    return isAttached || !this.subscribers.empty || this.consumers?.empty === false;
  }

  /** Lets go of the state; subscribers, attachments and consumers stay. */
  chill(): void {
    this.phase = 'cold';
    this.state = undefined;
    this.seen = null;
    for (const timer of this.timers?.values() ?? []) timer.cancel();
    this.timers = null;
  }

  /** Ties a session to the actor or lets it go. @returns whether that changes anything. */
  tie(
    whose: { readonly session: string; readonly user: string; readonly edge: number },
    tie: 'attach' | 'detach',
  ): boolean {
    const { session, user, edge } = whose;
    if (tie === 'detach') return (this.attachments?.remove(session) ?? null) !== null;
    (this.attachments ??= new Attachments()).add(session, user, edge);
    return true;
  }

  /** Takes the place of one of that name, which is called off. */
  setTimer(name: string, timer: Timer): void {
    this.timers?.get(name)?.cancel();
    (this.timers ??= new Map<string, Timer>()).set(name, timer);
  }

  /** @returns whether it was still wanted. */
  takeTimer(name: string, timer: Timer): boolean {
    return this.timers?.get(name) === timer && this.timers.delete(name);
  }

  /** A turn has failed: what it left of the state counts for nothing. */
  fault(nowMs: number, { faultsMax, stopMs }: FaultLimits): void {
    this.chill();
    this.faults += 1;
    if (this.faults < faultsMax) return;
    const doublings = Math.min(this.faults - faultsMax, 16);
    this.stoppedUntilMs = nowMs + Math.min(stopMs * 2 ** doublings, stopMsMax);
  }
}
