// A link joins two threads. Everything sent within one event-loop turn crosses as ONE message of one packed
// buffer, and at most `batchesInFlightMax` batches are unread by the other side at a time: an idle link sends at
// once, a busy one gathers by itself, so that wake-ups (the cost to fight) fall as the load rises.
import { MessageChannel, type MessagePort } from 'node:worker_threads';
import { Packr } from 'msgpackr';

export interface LinkLimits {
  /** Batches the other side has not read yet. More make up for a slow hop, fewer make fuller batches. */
  readonly batchesInFlightMax: number;
  /** A batch is closed once the bodies in it reach this size. */
  readonly batchBytesMax: number;
  /** Bytes of bodies waiting to cross; above it `full` is true and callers must refuse new work. */
  readonly queueBytesMax: number;
  /** Messages waiting to cross, for the same reason. */
  readonly queueMessagesMax: number;
}

export const linkLimits: LinkLimits = {
  batchesInFlightMax: 2,
  batchBytesMax: 1024 * 1024,
  queueBytesMax: 32 * 1024 * 1024,
  queueMessagesMax: 65_536,
};

/** One end of a link as it is handed to a thread; `port` must be in the transfer list. */
export interface LinkEnd {
  readonly port: MessagePort;
  /** Four counters shared by both ends, see `Link`. */
  readonly counters: SharedArrayBuffer;
  /** 0 or 1: which of the two ends this is. */
  readonly side: 0 | 1;
}

export function createLink(): [LinkEnd, LinkEnd] {
  const { port1, port2 } = new MessageChannel();
  const counters = new SharedArrayBuffer(4 * Int32Array.BYTES_PER_ELEMENT);
  return [
    { port: port1, counters, side: 0 },
    { port: port2, counters, side: 1 },
  ];
}

const packr = new Packr({ useRecords: false, encodeUndefinedAsNil: true });
const nothing = new Uint8Array(0);

export class Link<Out, In> {
  readonly #port: MessagePort;
  // Per direction: how many batches its reader has read, and whether its writer waits for that number to grow.
  // The flag spares an answer for every batch: a reader wakes the writer only when it is asked to.
  readonly #counters: Int32Array;
  readonly #side: 0 | 1;
  readonly #limits: LinkLimits;
  readonly #receive: (message: In) => void;
  #queue: Out[] = [];
  #sizes: number[] = [];
  #queueBytes = 0;
  // Whole numbers of 32 bits, as the counters are: they wrap around.
  #batchesSent: number;
  #batchesRead: number;
  #wakeOwed = false;
  #flushScheduled = false;
  #closed = false;

  /**
   * @param receive called once per message, in the order sent.
   * @param onClosed called once when the other end is gone; never after `close()`.
   */
  constructor(end: LinkEnd, receive: (message: In) => void, onClosed: () => void, limits = linkLimits) {
    this.#port = end.port;
    this.#counters = new Int32Array(end.counters);
    this.#side = end.side;
    this.#limits = limits;
    this.#receive = receive;
    this.#batchesRead = Atomics.load(this.#counters, end.side);
    this.#batchesSent = Atomics.load(this.#counters, 1 - end.side);
    this.#port.on('message', (batch: Uint8Array) => this.#read(batch));
    this.#port.on('close', () => {
      if (this.#closed) return;
      this.#drop();
      onClosed();
    });
  }

  /** Whether so much waits to cross that new work must be refused. What is sent all the same is not lost. */
  get full(): boolean {
    return (
      this.#queueBytes > this.#limits.queueBytesMax || this.#queue.length > this.#limits.queueMessagesMax
    );
  }

  /** Whether nothing waits to cross. */
  get empty(): boolean {
    return this.#queue.length === 0;
  }

  /** @param bytes size of the body in the message, for the bounds. */
  send(message: Out, bytes: number): void {
    if (this.#closed) return;
    this.#queue.push(message);
    this.#sizes.push(bytes);
    this.#queueBytes += bytes;
    this.#scheduleFlush();
  }

  /** Lets what was sent in this turn of the event loop cross now, for callers who know that it is all. */
  flush(): void {
    if (this.#queue.length > 0) this.#flush();
  }

  /** Ends the link; what waits to cross is dropped. */
  close(): void {
    if (this.#closed) return;
    this.#drop();
    this.#port.close();
  }

  #drop(): void {
    this.#closed = true;
    this.#queue = [];
    this.#sizes = [];
    this.#queueBytes = 0;
  }

  #scheduleFlush(): void {
    if (this.#flushScheduled) return;
    this.#flushScheduled = true;
    setImmediate(() => {
      this.#flushScheduled = false;
      this.#flush();
    });
  }

  #flush(): void {
    if (this.#closed) return;
    while (this.#queue.length > 0) {
      if (this.#windowFull()) {
        Atomics.store(this.#counters, 2 + this.#side, 1);
        // The peer may have read on just before the flag stood: then it never saw it.
        if (this.#windowFull()) break;
        Atomics.store(this.#counters, 2 + this.#side, 0);
      }
      this.#post();
    }
    if (this.#wakeOwed) {
      this.#wakeOwed = false;
      this.#port.postMessage(nothing);
    }
  }

  #post(): void {
    let count = 0;
    let bytes = 0;
    while (count < this.#queue.length && bytes < this.#limits.batchBytesMax) {
      bytes += this.#sizes[count] ?? 0;
      count += 1;
    }
    const all = count === this.#queue.length;
    const messages = all ? this.#queue : this.#queue.splice(0, count);
    if (all) {
      this.#queue = [];
      this.#sizes = [];
    } else {
      this.#sizes.splice(0, count);
    }
    this.#queueBytes -= bytes;
    // A copy of its own: the packer's buffer is shared by all it packs, and transferring would take it away.
    const packed = new Uint8Array(packr.pack(messages));
    this.#batchesSent = (this.#batchesSent + 1) | 0;
    this.#wakeOwed = false;
    this.#port.postMessage(packed, [packed.buffer]);
  }

  #read(batch: Uint8Array): void {
    if (this.#closed) return;
    if (batch.length > 0) {
      for (const message of packr.unpack(batch) as In[]) {
        this.#receive(message);
        if (this.#closed) return;
      }
      this.#batchesRead = (this.#batchesRead + 1) | 0;
      Atomics.store(this.#counters, this.#side, this.#batchesRead);
      if (Atomics.exchange(this.#counters, 2 + (1 - this.#side), 0) === 1) this.#wakeOwed = true;
    }
    // Answers to the batch, if any, go first and carry the wake with them.
    if (this.#wakeOwed || this.#queue.length > 0) this.#scheduleFlush();
  }

  #windowFull(): boolean {
    const readByPeer = Atomics.load(this.#counters, 1 - this.#side);
    return ((this.#batchesSent - readByPeer) | 0) >= this.#limits.batchesInFlightMax;
  }
}
