// A queue in memory: which messages wait, which are held and by whom, who gets the next one. Knows no runtime and no
// store: what is asked of those is read off it.
import type { QueueMessageRow } from '../../storage/tables.ts';
import type { Consumer as JoinedConsumer, Held } from '../actor.ts';
import { Waiting } from './queue-waiting.ts';

/** Deliveries of a message that may come back; after the last of them it is a dead letter. */
export const triesMax = 5;

const pageRowsMax = 200;
const pageBytesMax = 1024 * 1024;
/** After the queue of dead letters was full, how long until it is looked at again. */
const deadFullMs = 10_000;

interface Consumer {
  readonly window: number;
  readonly held: Set<string>;
  /** When it got its last message, as a count of deliveries. */
  servedAt: number;
}

interface HeldMessage {
  readonly held: Held;
  readonly consumer: string;
}

export interface Handed {
  readonly consumer: string;
  /** With this delivery counted among its tries. */
  readonly row: QueueMessageRow;
}

/** How many messages may be stored, and how many bytes of bodies. */
export interface Room {
  readonly count: number;
  readonly bytes: number;
}

/** What the store has of a queue. */
export interface QueueHead extends Room {
  readonly newest: number;
}

export type Want =
  /** Messages with `position > after`. */
  | { readonly what: 'page'; readonly after: number; readonly limit: number }
  /** The head of the queue of dead letters. */
  | { readonly what: 'dead' };

export class QueueState {
  /** Messages stored, held ones too, and the bytes of their bodies. */
  count: number;
  bytes: number;
  /** The highest position ever given. */
  newest: number;
  readonly waiting: Waiting;
  readonly held = new Map<string, HeldMessage>();
  readonly consumers = new Map<string, Consumer>();
  /** Who gave a message back: it is for others, if there are any. */
  readonly givenBack = new Map<string, string>();
  /** Dead letters on their way to their queue. */
  readonly dying = new Map<string, QueueMessageRow>();
  /** Dead letters whose bodies are not in memory. */
  readonly dyingUnread = new Set<string>();
  /** Until then dead letters have no place to go, and keep coming back. */
  deadFullUntilMs = 0;
  deliveries = 0;
  /** Whether this queue has one for its dead letters. */
  readonly hasDead: boolean;

  constructor({ count, bytes, newest }: QueueHead, hasDead: boolean) {
    this.count = count;
    this.bytes = bytes;
    this.newest = newest;
    this.hasDead = hasDead;
    this.waiting = new Waiting(count === 0 ? newest : 0);
  }

  /** To no effect for one that is there already. */
  join({ key, window, held }: JoinedConsumer): void {
    if (this.consumers.has(key)) return;
    const consumer: Consumer = { window, held: new Set(), servedAt: this.deliveries };
    this.consumers.set(key, consumer);
    for (const one of held.values()) {
      const [id] = one;
      // It may be with another already, when this one was not known to be there.
      if (this.held.has(id)) continue;
      this.waiting.remove(id);
      consumer.held.add(id);
      this.held.set(id, { held: one, consumer: key });
    }
  }

  leave(key: string, nowMs: number): void {
    const consumer = this.consumers.get(key);
    if (!consumer) return;
    this.consumers.delete(key);
    for (const id of consumer.held) {
      const message = this.held.get(id);
      this.held.delete(id);
      if (message) this.#waitAgain(message.held, nowMs);
    }
    // Nobody will ask for what is in memory.
    if (this.consumers.size === 0) this.waiting.forget();
  }

  /** A message was stored, and nobody holds it. */
  add(row: QueueMessageRow): void {
    this.count += 1;
    this.bytes += row.body.length;
    if (this.consumers.size > 0 && this.waiting.upto >= this.newest) this.waiting.push(row);
    this.newest = row.position;
  }

  /** It is never delivered again. */
  acknowledge([id, , , bytes]: Held): void {
    const message = this.held.get(id);
    if (message) this.consumers.get(message.consumer)?.held.delete(id);
    this.held.delete(id);
    this.waiting.remove(id);
    this.#removed(id, bytes);
  }

  /** It goes to another consumer, or to the same one when there is no other. */
  giveBack(key: string, [id]: Held, nowMs: number): void {
    const message = this.held.get(id);
    if (message?.consumer !== key) return;
    this.held.delete(id);
    this.consumers.get(key)?.held.delete(id);
    this.givenBack.set(id, key);
    this.#waitAgain(message.held, nowMs);
  }

  /** The next delivery, if anything waits for which somebody has room. */
  next(): Handed | null {
    for (const [index, row] of this.waiting.rows.entries()) {
      const key = this.#leastLoaded(this.givenBack.get(row.message_id));
      if (key === undefined) return null;
      if (key === null) continue;
      this.waiting.take(index);
      return { consumer: key, row: this.#hand(row, key) };
    }
    const [first] = this.waiting.rows;
    if (!first || this.waiting.hasRoom) return null;
    // Memory is full of what only waits for others than who gave it back: nothing would move until those have room.
    this.givenBack.delete(first.message_id);
    return this.next();
  }

  /** Lets go of bodies that are more than memory should hold. */
  trim(): void {
    this.waiting.trim();
  }

  /** What is to be read next. */
  wants(): Want | null {
    if (this.dying.size > 0) return { what: 'dead' };
    const isAsked = this.dyingUnread.size > 0 || (this.waiting.hasRoom && this.#hasRoom());
    if (this.waiting.upto >= this.newest || !isAsked) return null;
    const average = Math.max(this.bytes / Math.max(this.count, 1), 1);
    const limit = Math.max(1, Math.min(pageRowsMax, Math.floor(pageBytesMax / average)));
    return { what: 'page', after: this.waiting.upto, limit };
  }

  tookPage(rows: readonly QueueMessageRow[], limit: number, nowMs: number): void {
    for (const row of rows) {
      this.newest = Math.max(this.newest, row.position);
      if (!this.held.has(row.message_id) && !this.dying.has(row.message_id)) this.#read(row, nowMs);
      this.waiting.upto = row.position;
    }
    if (rows.length >= limit) return;
    this.waiting.upto = this.newest;
    this.dyingUnread.clear();
  }

  /**
   * The head of the queue of dead letters is known, and how much it may hold.
   *
   * @returns the dead letters that find room there; they are no longer of this queue.
   */
  tookDead(head: Room, max: Room, nowMs: number): QueueMessageRow[] {
    const buried: QueueMessageRow[] = [];
    let { count, bytes } = head;
    for (const [id, row] of this.dying) {
      this.dying.delete(id);
      count += 1;
      bytes += row.body.length;
      if (count > max.count || bytes > max.bytes) {
        this.deadFullUntilMs = nowMs + deadFullMs;
        this.waiting.putBack(row);
      } else {
        buried.push(row);
        this.#removed(id, row.body.length);
      }
    }
    return buried;
  }

  #removed(id: string, bytes: number): void {
    this.count = Math.max(this.count - 1, 0);
    this.bytes = Math.max(this.bytes - bytes, 0);
    this.givenBack.delete(id);
    this.dyingUnread.delete(id);
  }

  #hand(row: QueueMessageRow, key: string): QueueMessageRow {
    const handed = { ...row, tries: row.tries + 1 };
    const { message_id: id } = row;
    this.deliveries += 1;
    this.givenBack.delete(id);
    const consumer = this.consumers.get(key) as Consumer;
    consumer.held.add(id);
    consumer.servedAt = this.deliveries;
    this.held.set(id, { held: heldOf(handed), consumer: key });
    this.waiting.keep(handed);
    return handed;
  }

  /** A message that was held is nobody's. */
  #waitAgain([id, position, tries]: Held, nowMs: number): void {
    const row = this.waiting.takeKept(id);
    const isDead = this.#isDead(tries, nowMs);
    if (row && isDead) this.dying.set(id, row);
    else if (row) this.waiting.putBack(row);
    else {
      if (isDead) this.dyingUnread.add(id);
      this.waiting.unread(position);
    }
  }

  #read(row: QueueMessageRow, nowMs: number): void {
    this.dyingUnread.delete(row.message_id);
    if (this.#isDead(row.tries, nowMs)) this.dying.set(row.message_id, row);
    else this.waiting.push(row);
  }

  #isDead(tries: number, nowMs: number): boolean {
    return tries >= triesMax && this.hasDead && nowMs >= this.deadFullUntilMs;
  }

  #hasRoom(): boolean {
    for (const { held, window } of this.consumers.values()) if (held.size < window) return true;
    return false;
  }

  /**
   * The consumer with the fewest messages, of those the one that waited longest; null when only `but` has room and
   * there are others, undefined when nobody has room.
   */
  #leastLoaded(but: string | undefined): string | null | undefined {
    const isBarred = but !== undefined && this.consumers.size > 1 && this.consumers.has(but);
    let best: string | undefined;
    let found: Consumer | undefined;
    let sawBarred = false;
    for (const [key, consumer] of this.consumers) {
      if (consumer.held.size >= consumer.window) continue;
      if (isBarred && key === but) {
        sawBarred = true;
        continue;
      }
      const load = consumer.held.size - (found?.held.size ?? Number.POSITIVE_INFINITY);
      if (load > 0 || (load === 0 && found && consumer.servedAt >= found.servedAt)) continue;
      best = key;
      found = consumer;
    }
    return best ?? (sawBarred ? null : undefined);
  }
}

export function heldOf({ message_id: id, position, tries, body }: QueueMessageRow): Held {
  return [id, position, tries, body.length];
}
