// Two ends of a link within one thread: what crosses, in which batches, and what waits.
import type { MessagePort } from 'node:worker_threads';
import fc from 'fast-check';
import { afterEach, expect, test } from 'vitest';
import { createLink, Link, linkLimits, type LinkEnd, type LinkLimits } from '../../src/link/link.ts';

type Message = readonly [number: number, body?: Uint8Array | null, more?: unknown];

/** One end, with what it got and how many batches the other side has put into its port. */
class Side {
  readonly received: Message[] = [];
  readonly batches: number[] = [];
  closed = 0;
  readonly link: Link<Message, Message>;
  #reads = true;
  #listener: (batch: Uint8Array) => void = () => expect.fail('the link listens to nothing');
  readonly #unread: Uint8Array[] = [];

  constructor(end: LinkEnd, limits: LinkLimits, answer?: (message: Message, side: Side) => void) {
    this.#watch(end.port);
    const receive = (message: Message): void => {
      this.received.push(message);
      answer?.(message, this);
    };
    this.link = new Link(end, receive, () => void (this.closed += 1), limits);
    open.push(this);
  }

  /** Counts what is posted, and stands between the port and the link's reading. */
  #watch(port: MessagePort): void {
    const post = port.postMessage.bind(port);
    port.postMessage = (batch: Uint8Array, ...rest: [never]) => {
      if (batch.length > 0) this.batches.push(batch.length);
      post(batch, ...rest);
    };
    const on = port.on.bind(port) as (event: string, listener: (batch: Uint8Array) => void) => MessagePort;
    const watched = (event: string, listener: (batch: Uint8Array) => void): MessagePort => {
      if (event !== 'message') return on(event, listener);
      this.#listener = listener;
      return on(event, (batch) => void (this.#reads ? listener(batch) : this.#unread.push(batch)));
    };
    port.on = watched as MessagePort['on'];
  }

  get numbers(): number[] {
    return this.received.map(([number]) => number);
  }

  send(number: number, body: Uint8Array | null = null): void {
    this.link.send([number, body], body?.length ?? 0);
  }

  /** A reader that is busy: what comes lies in its port. */
  stopReading(): void {
    this.#reads = false;
  }

  readOn(): void {
    this.#reads = true;
    for (const batch of this.#unread.splice(0)) this.#listener(batch);
  }

  /** Batches that came and were not read. */
  get unread(): number {
    return this.#unread.filter(({ length }) => length > 0).length;
  }
}

const open: Side[] = [];

function join(
  limits: Partial<LinkLimits> = {},
  answer?: (message: Message, side: Side) => void,
): [Side, Side] {
  const [one, other] = createLink();
  const all = { ...linkLimits, ...limits };
  return [new Side(one, all), new Side(other, all, answer)];
}

async function rounds(count = 10): Promise<void> {
  for (let round = 0; round < count; round += 1) await new Promise(setImmediate);
}

/** @throws Error when it does not come true in very many rounds of the event loop. */
async function until(holds: () => boolean): Promise<void> {
  for (let round = 0; round < 5_000; round += 1) {
    if (holds()) return;
    await rounds(1);
  }
  throw new Error('it never came true');
}

const range = (count: number, from = 0): number[] =>
  Array.from({ length: count }, (_, index) => from + index);

afterEach(() => {
  for (const side of open.splice(0)) side.link.close();
});

test('[LINK1] messages arrive in the order sent, both ways', async () => {
  const [one, other] = join();
  for (const number of range(500)) {
    one.send(number);
    other.send(number + 1_000);
    if (number % 50 === 0) await rounds(1);
  }
  await until(() => one.received.length === 500 && other.received.length === 500);
  expect(other.numbers).toEqual(range(500));
  expect(one.numbers).toEqual(range(500, 1_000));
});

test('[LINK2] all that is sent within one turn of the event loop crosses as one batch', async () => {
  const [one, other] = join();
  for (const number of range(1_000)) one.send(number);
  expect(one.batches).toEqual([]);
  expect(one.link.empty).toBe(false);
  await until(() => other.received.length === 1_000);
  expect(one.batches).toHaveLength(1);
  expect(one.link.empty).toBe(true);
});

test('[LINK2] flush sends at once what was gathered', async () => {
  const [one, other] = join();
  one.link.flush();
  one.send(1);
  one.send(2);
  one.link.flush();
  expect(one.batches).toHaveLength(1);
  one.send(3);
  await until(() => other.received.length === 3);
  expect(other.numbers).toEqual([1, 2, 3]);
  expect(one.batches).toHaveLength(2);
});

test('[LINK2] answers sent while a batch is read go back as one batch', async () => {
  const [one, other] = join({}, ([number], side) => side.send(number * 2));
  for (const number of range(100)) one.send(number);
  await until(() => one.received.length === 100);
  expect(one.numbers).toEqual(range(100).map((number) => number * 2));
  expect(other.batches).toHaveLength(1);
});

test('[LINK2] a batch ends at its bound of bytes, and holds at least one message', async () => {
  const [one, other] = join({ batchBytesMax: 1_000, batchesInFlightMax: 100 });
  for (const number of range(10)) one.send(number, new Uint8Array(number === 5 ? 5_000 : 400));
  await until(() => other.received.length === 10);
  expect(other.numbers).toEqual(range(10));
  // Three of 400 bytes reach the bound, and so does the long one with those before it.
  expect(one.batches).toHaveLength(4);
});

test('[LINK3] to a reader that does not read only so many batches are sent; the rest gathers', async () => {
  const [one, other] = join({ batchesInFlightMax: 2 });
  other.stopReading();
  for (const number of range(50)) {
    one.send(number);
    await rounds(1);
  }
  expect(one.batches).toHaveLength(2);
  expect(other.unread).toBe(2);
  expect(one.link.empty).toBe(false);

  other.readOn();
  await until(() => other.received.length === 50);
  expect(other.numbers).toEqual(range(50));
  // What had gathered came in one.
  expect(one.batches).toHaveLength(3);
});

test('[LINK3] no message is lost and nothing hangs, however the two sides pause', async () => {
  const step = fc.oneof(
    fc.record({ do: fc.constantFrom('one', 'other'), count: fc.integer({ min: 1, max: 30 }) }),
    fc.record({ do: fc.constantFrom('stopOne', 'stopOther', 'onOne', 'onOther', 'rest'), count: fc.nat(3) }),
  );
  const limits = fc.record({
    batchesInFlightMax: fc.integer({ min: 1, max: 4 }),
    batchBytesMax: fc.constantFrom(1, 50, 10_000),
  });
  await fc.assert(
    fc.asyncProperty(limits, fc.array(step, { maxLength: 60, size: 'max' }), async (some, steps) => {
      const [one, other] = join(some);
      const sent = [0, 0];
      const sendFrom = (index: 0 | 1, count: number): void => {
        for (const number of range(count, sent[index])) [one, other][index]?.send(number, Buffer.alloc(20));
        sent[index] = (sent[index] ?? 0) + count;
      };
      for (const { do: what, count } of steps) {
        if (what === 'one') sendFrom(0, count);
        else if (what === 'other') sendFrom(1, count);
        else if (what === 'stopOne') one.stopReading();
        else if (what === 'stopOther') other.stopReading();
        else if (what === 'onOne') one.readOn();
        else if (what === 'onOther') other.readOn();
        else await rounds(count);
        expect(one.unread).toBeLessThanOrEqual(some.batchesInFlightMax);
        expect(other.unread).toBeLessThanOrEqual(some.batchesInFlightMax);
      }
      one.readOn();
      other.readOn();
      await until(() => other.received.length === sent[0] && one.received.length === sent[1]);
      expect(other.numbers).toEqual(range(sent[0] ?? 0));
      expect(one.numbers).toEqual(range(sent[1] ?? 0));
      expect([one.link.empty, other.link.empty]).toEqual([true, true]);
      one.link.close();
      other.link.close();
    }),
    { numRuns: 150 },
  );
});

test('[LINK4] over its bound of waiting messages or bytes a link is full, until the reader reads on', async () => {
  for (const limits of [{ queueMessagesMax: 10 }, { queueBytesMax: 1_000 }]) {
    const [one, other] = join({ ...limits, batchesInFlightMax: 1 });
    other.stopReading();
    one.send(0);
    await rounds();
    for (const number of range(10, 1)) one.send(number, new Uint8Array(100));
    expect(one.link.full).toBe(false);
    one.send(11, new Uint8Array(100));
    expect(one.link.full).toBe(true);
    await rounds();
    expect(one.link.full).toBe(true);
    // What is sent all the same is not lost.
    one.send(12);
    other.readOn();
    await until(() => other.received.length === 13);
    expect(one.link.full).toBe(false);
    expect(other.numbers).toEqual(range(13));
  }
});

test('[LINK5] when one side closes the other is told once, and sends into nothing', async () => {
  const [one, other] = join();
  one.send(1);
  await until(() => other.received.length === 1);
  other.send(2);
  one.link.close();
  one.link.close();
  await until(() => other.closed > 0);
  other.send(3);
  await rounds();
  expect([one.closed, other.closed]).toEqual([0, 1]);
  expect(one.received).toEqual([]);
  expect([other.link.empty, other.link.full]).toEqual([true, false]);
});

test('[LINK5] what waits when a side closes is dropped, and it counts for nothing any more', async () => {
  const [one, other] = join({ queueMessagesMax: 1 });
  for (const number of range(5)) one.send(number);
  one.link.close();
  expect([one.link.empty, one.link.full]).toEqual([true, false]);
  one.send(6);
  await until(() => other.closed === 1);
  expect(other.received).toEqual([]);
});

test('[LINK5] a side that closes while it reads a batch gets no more of it', async () => {
  const [one, other] = join({}, ([number], side) => {
    if (number === 2) side.link.close();
  });
  for (const number of range(5)) one.send(number);
  await until(() => one.closed === 1);
  expect(other.numbers).toEqual([0, 1, 2]);
});

test('[LINK6] bytes, texts and numbers arrive as they were, and stay so', async () => {
  const [one, other] = join();
  const pooled = Buffer.from('a body out of a pool of memory');
  const messages: Message[] = [
    [1, pooled],
    [2, new Uint8Array(70_000).map((_, index) => index)],
    [3, new Uint8Array(0)],
    [4, null],
    [5, null, 'κείμενο 😀 \0'],
    [2 ** 53 - 1, null, { 'a:b': 'c', ['__proto']: '1', list: [true, false, null, -1, 0.5, 2 ** 32] }],
    [6, new Uint8Array(pooled.buffer, pooled.byteOffset + 2, 4)],
  ];
  for (const message of messages) one.link.send(message, 0);
  one.link.flush();
  // The sender's memory is its own again.
  const wanted = structuredClone(messages).map(plain);
  pooled.fill(0);
  await until(() => other.received.length === messages.length);
  // Further batches are packed into the same memory.
  for (const number of range(200)) one.send(number, Buffer.alloc(5_000, number));
  await until(() => other.received.length === messages.length + 200);
  expect(other.received.slice(0, messages.length).map(plain)).toEqual(wanted);
  for (const [number, body] of other.received.slice(messages.length)) {
    expect(Buffer.from(body ?? []).equals(Buffer.alloc(5_000, number))).toBe(true);
  }
});

function plain([number, body, more]: Message): unknown {
  return [number, body ? Buffer.from(body).toString('hex') : null, more ?? null];
}

test('[LINK7] the counters of batches may wrap around', async () => {
  const [one, other] = createLink();
  // As after two thousand million batches: both sides begin where the counters stand.
  const counters = new Int32Array(one.counters);
  counters[0] = 2 ** 31 - 4;
  counters[1] = 2 ** 31 - 4;
  const [first, second] = [new Side(one, linkLimits), new Side(other, linkLimits)];
  for (let pause = 0; pause < 4; pause += 1) {
    second.stopReading();
    for (const number of range(10, pause * 10)) {
      first.send(number);
      second.send(number);
      await rounds(1);
    }
    await rounds();
    expect(second.unread).toBe(linkLimits.batchesInFlightMax);
    second.readOn();
    await until(() => second.received.length === pause * 10 + 10);
  }
  await until(() => first.received.length === 40);
  expect([first.numbers, second.numbers]).toEqual([range(40), range(40)]);
});
