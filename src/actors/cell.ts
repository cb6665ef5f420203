// One actor as the shard holds it: its state, its mailbox and what the runtime knows of it.
import type { Timer } from '../lib/clock.ts';
import { Queue } from '../lib/queue.ts';
import type {
  AcknowledgeMessage,
  CommandMessage,
  RejoinMessage,
  ReplayMessage,
  SubscribeMessage,
} from '../link/messages.ts';
import type { AnyKind } from './actor.ts';
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
  | { readonly type: 'timer'; readonly name: string; readonly timer: Timer };

/**
 * - `cold`: no state in memory; the next item loads it.
 * - `loading`: the rows it starts from are being read.
 * - `ready`: takes turns.
 * - `holding`: an item waits for rows; those behind it wait too, so order is kept.
 */
export type Phase = 'cold' | 'loading' | 'ready' | 'holding';

export class Cell implements Writer {
  readonly key: string;
  readonly id: string;
  readonly kind: AnyKind;
  readonly mailbox = new Queue<Item>();
  readonly subscribers = new Subscribers();
  readonly timers = new Map<string, Timer>();
  phase: Phase = 'cold';
  state: unknown = undefined;
  /** Read when the first command with an idempotency key comes. */
  seen: Seen | null = null;
  ticket = 0;
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

  /** Lets go of the state; the subscribers stay. */
  chill(): void {
    this.phase = 'cold';
    this.state = undefined;
    this.seen = null;
    for (const timer of this.timers.values()) timer.cancel();
    this.timers.clear();
  }
}
