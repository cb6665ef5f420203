// A hashed timing wheel driven from outside: many timers that are set, moved and called off all the time
// (heart-beats, time-outs, passivation) for the price of three fields in each item. It reads no clock;
// whoever owns it calls advance.

/**
 * What an item carries to be scheduled: links of the list it hangs in. Written by the wheel alone; an item
 * starts with `wheelNext = null; wheelPrevious = null; wheelAtMs = 0` and belongs to one wheel at a time.
 */
export interface WheelNode {
  wheelNext: WheelNode | null;
  wheelPrevious: WheelNode | null;
  wheelAtMs: number;
}

export interface WheelOptions {
  /** Width of one slot. Also how late an item can be when `advance` is called once a tick. */
  readonly tickMs: number;
  /** Slots of one turn. Items further away than `tickMs * slots` wait in their slot for a later turn. */
  readonly slots: number;
}

export class TimerWheel<T extends WheelNode> {
  readonly #tickMs: number;
  /** Heads of circular lists, one for each slot. */
  readonly #slots: readonly WheelNode[];
  /** Items found due and not yet called; kept apart so that `onDue` may schedule and cancel anything. */
  readonly #due: WheelNode = emptyList();
  /**
   * The last tick that was visited. Its slot is visited again, since it may hold items of later in that tick.
   */
  #tick = 0;
  #size = 0;

  constructor(options: WheelOptions) {
    if (!(options.tickMs > 0)) throw new RangeError(`tickMs must be above 0, not ${options.tickMs}`);
    if (!(Number.isInteger(options.slots) && options.slots > 0)) {
      throw new RangeError(`slots must be a whole number above 0, not ${options.slots}`);
    }
    this.#tickMs = options.tickMs;
    this.#slots = Array.from({ length: options.slots }, emptyList);
  }

  /** Items that are waiting. */
  get size(): number {
    return this.#size;
  }

  /**
   * Makes `item` due at `atMs`; one that was waiting is moved. The past is due at the next `advance`.
   *
   * @throws RangeError when `atMs` is not finite.
   */
  schedule(item: T, atMs: number): void {
    if (!Number.isFinite(atMs)) throw new RangeError(`an item can't be due at ${atMs}`);
    if (item.wheelNext === null) this.#size += 1;
    else unlink(item);
    item.wheelAtMs = atMs;
    // Slots behind the present one are not visited for a whole turn: the past goes to the present.
    append(this.#slotOf(Math.max(this.#tick, Math.floor(atMs / this.#tickMs))), item);
  }

  /** Calls `item` off. One that isn't waiting is left as it is. */
  cancel(item: T): void {
    if (item.wheelNext === null) return;
    unlink(item);
    this.#size -= 1;
  }

  /**
   * Calls `onDue` once with every item whose time is at or before `nowMs`, in no promised order. Items are no
   * longer waiting when they are called. What `onDue` schedules for the present or the past is called by the
   * next `advance`, so this always ends. When `onDue` throws, the rest is called by the next `advance`.
   *
   * A clock that steps back makes nothing due too early, and what is scheduled then is called in time.
   */
  advance(nowMs: number, onDue: (item: T) => void): void {
    const nowTick = Math.floor(nowMs / this.#tickMs);
    const firstTick = this.#tick;
    // After a pause longer than a turn each slot needs one visit, not one for each turn missed.
    const visits = Math.min(Math.max(nowTick - firstTick, 0) + 1, this.#slots.length);
    for (let visit = 0; visit < visits; visit += 1) this.#collect(this.#slotOf(firstTick + visit), nowMs);
    this.#tick = Math.max(firstTick, nowTick);

    for (let node = this.#due.wheelNext; node !== this.#due && node !== null; node = this.#due.wheelNext) {
      unlink(node);
      this.#size -= 1;
      onDue(node as T);
    }
  }

  #slotOf(tick: number): WheelNode {
    const count = this.#slots.length;
    return this.#slots[((tick % count) + count) % count] as WheelNode;
  }

  #collect(slot: WheelNode, nowMs: number): void {
    let node = slot.wheelNext;
    while (node !== null && node !== slot) {
      const next = node.wheelNext;
      if (node.wheelAtMs <= nowMs) {
        unlink(node);
        append(this.#due, node);
      }
      node = next;
    }
  }
}

function emptyList(): WheelNode {
  const head: WheelNode = { wheelNext: null, wheelPrevious: null, wheelAtMs: 0 };
  head.wheelNext = head;
  head.wheelPrevious = head;
  return head;
}

function append(head: WheelNode, node: WheelNode): void {
  const last = head.wheelPrevious as WheelNode;
  node.wheelPrevious = last;
  node.wheelNext = head;
  last.wheelNext = node;
  head.wheelPrevious = node;
}

function unlink(node: WheelNode): void {
  const previous = node.wheelPrevious as WheelNode;
  const next = node.wheelNext as WheelNode;
  previous.wheelNext = next;
  next.wheelPrevious = previous;
  node.wheelNext = null;
  node.wheelPrevious = null;
}
