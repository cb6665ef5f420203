// Any frames in any order, good and broken, while commits fail, shards die and clients do not read.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isPattern } from '../../src/edge/destination-pattern.ts';
import { unavailable } from '../support/fake-storage.ts';
import { InProcessNode, type FakeClient } from '../support/in-process-node.ts';
import { encode, type FrameHeaders } from '../support/stomp.ts';

type Happening =
  'settle' | 'holdCommits' | 'failCommit' | 'letCommit' | 'kill' | 'start' | 'second' | 'stop' | 'read';
type Step =
  | {
      readonly do: 'frame';
      readonly who: number;
      readonly command: string;
      readonly headers: FrameHeaders;
      readonly body: string;
      readonly cut: number;
    }
  | { readonly do: 'known'; readonly who: number; readonly command: string; readonly which: number }
  | { readonly do: 'broken'; readonly who: number; readonly bytes: Uint8Array; readonly isText: boolean }
  | { readonly do: Happening; readonly who: number };

const who = fc.nat({ max: 2 });
const topic = fc.constantFrom('/topic/a', '/topic/b', '/topic/a/deep');
const destination = fc.oneof(
  { weight: 15, arbitrary: topic },
  {
    weight: 3,
    arbitrary: fc.constantFrom(
      '/app/chat.send/none',
      '/app/chat.typing/none',
      '/app/nothing',
      '/user/queue/x',
      '/user/user1/queue/x',
      '/user/user1/queue/errors',
      '/topic/room.none',
      '/topic/a*',
      '/topic/**',
      '/topic/{x:y}',
      '/app/auth.refresh',
      'nonsense',
    ),
  },
  { weight: 1, arbitrary: fc.string() },
);
const name = fc.constant('t');
const maybe = <Value>(value: fc.Arbitrary<Value>): fc.Arbitrary<Value | undefined> =>
  fc.oneof({ weight: 3, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: value });
const shortText = fc.string({ maxLength: 20 });

const headersOf = {
  SEND: fc.record({ destination, transaction: maybe(name), 'idempotency-key': maybe(shortText) }),
  SUBSCRIBE: fc.record({
    destination,
    ack: maybe(fc.constantFrom('auto', 'client', 'client-individual', 'other')),
    durable: maybe(fc.constantFrom('d', '')),
    // `?` stands for the epoch of /topic/a.
    resume: maybe(fc.constantFrom('?:0', '?:1', '?:4', 'other:1', 'nonsense')),
  }),
  BEGIN: fc.record({ transaction: name }),
  COMMIT: fc.record({ transaction: name }),
  ABORT: fc.record({ transaction: name }),
  DISCONNECT: fc.record({}),
} as const;

function frame(command: keyof typeof headersOf): fc.Arbitrary<Step> {
  return fc.record({
    do: fc.constant('frame' as const),
    who,
    command: fc.constant(command),
    headers: headersOf[command].map((all) =>
      Object.fromEntries(
        Object.entries(all).flatMap(([key, value]) => (value === undefined ? [] : [[key, value]])),
      ),
    ),
    body:
      command === 'SEND' ? fc.oneof(shortText, fc.json(), fc.constant('long '.repeat(100))) : fc.constant(''),
    cut: fc.nat({ max: 60 }),
  });
}

const brokenBytes = fc.oneof(
  fc.uint8Array({ maxLength: 80 }),
  fc
    .constantFrom(
      'HELLO\n\n\0',
      'SEND\ndestination\n\n\0',
      'SEND\ndestination:/topic/a\ncontent-length:3\n\ntoo long\0',
      'SEND\ndestination:/topic/a\ncontent-length:x\n\n\0',
      'SUBSCRIBE\nid:1\n\nbody\0',
      'SEND\ndestination:\\t\n\n\0',
      'CONNECT\naccept-version:1.2\n\n\0',
      'MESSAGE\n\n\0',
      '\0',
      'SEND\n\nwithout an end',
    )
    .map((text) => Buffer.from(text)),
);

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 30, arbitrary: frame('SEND') },
  { weight: 15, arbitrary: frame('SUBSCRIBE') },
  {
    weight: 3,
    arbitrary: fc
      .constantFrom('BEGIN', 'BEGIN', 'COMMIT', 'ABORT')
      .chain((command) => frame(command as 'BEGIN')),
  },
  { weight: 1, arbitrary: frame('DISCONNECT') },
  {
    weight: 12,
    arbitrary: fc.record({
      do: fc.constant('known' as const),
      who,
      command: fc.constantFrom('ACK', 'NACK', 'UNSUBSCRIBE'),
      which: fc.nat(),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('broken' as const),
      who,
      bytes: brokenBytes,
      isText: fc.boolean(),
    }),
  },
  {
    weight: 40,
    arbitrary: fc.record({
      do: fc.constantFrom<Happening[]>(
        'settle',
        'settle',
        'holdCommits',
        'failCommit',
        'letCommit',
        'letCommit',
        'letCommit',
        'kill',
        'start',
        'second',
        'stop',
        'read',
      ),
      who,
    }),
  },
);

/** The frames with a receipt that one client sent. */
class Sent {
  /** Receipts that must be answered once, and those that may be left without an answer. */
  readonly owed: string[] = [];
  readonly mayBe: string[] = [];
  /** Whether what came before may swallow what comes now. */
  spoilt = false;
  left = false;
}

class Fuzz {
  readonly node = new InProcessNode({ edge: { unreadBytesMax: 3_000 } });
  readonly clients: FakeClient[] = [];
  readonly #sent: Sent[] = [];
  #count = 0;
  #epoch = '';
  #alive = true;
  /** Subscriptions of patterns: what they miss while a shard is away is not made up for. */
  readonly #wild = new Set<string>();

  async begin(): Promise<void> {
    for (const [index, version] of ['1.2', '1.1', '1.0'].entries()) {
      this.clients.push(await this.node.signIn(`user${index}`, { version }));
      this.#sent.push(new Sent());
    }
    const [first] = this.clients;
    for (const client of this.clients) client.send('SUBSCRIBE', { id: 's0', destination: '/topic/a' });
    first?.send('SEND', { destination: '/topic/a' }, 'the first');
    await this.node.settle();
    this.#epoch = first?.messages('s0')[0]?.headers['epoch'] ?? '';
  }

  async apply(one: Step): Promise<void> {
    const client = this.clients[one.who] as FakeClient;
    switch (one.do) {
      case 'frame':
        return this.#frame(one.who, one.command, one.headers, one.body, one.cut);
      case 'known':
        return this.#known(one.who, one.command, one.which);
      case 'broken':
        (this.#sent[one.who] as Sent).spoilt = true;
        client.session.receive(one.bytes, one.isText);
        return;
      default:
        return this.#happen(one.do, client);
    }
  }

  async #happen(what: Happening, client: FakeClient): Promise<void> {
    const { node } = this;
    if (what === 'settle') await node.settle();
    else if (what === 'second') await node.pass(1_000, 500);
    else if (what === 'holdCommits') node.storage.holdsCommits = true;
    else if (what === 'letCommit') node.storage.heldCommits[0]?.settle();
    else if (what === 'failCommit') node.storage.heldCommits[0]?.settle(() => unavailable());
    else if (what === 'stop') client.connection.reads = false;
    else if (what === 'read') this.#read(client);
    else if (what === 'kill' && this.#alive) node.killShard(0);
    else if (what === 'start' && !this.#alive) await this.#start();
    if (what === 'kill') this.#alive = false;
    if (what === 'start') this.#alive = true;
  }

  /** A frame about a message or a subscription that the client has, as a rule. */
  #known(index: number, command: string, which: number): void {
    const client = this.clients[index] as FakeClient;
    const ids =
      command === 'UNSUBSCRIBE'
        ? [...(client.session.subscriptions?.keys() ?? [])].filter((id) => id !== 'errors')
        : client.frames.flatMap(({ headers }) => headers['ack'] ?? []);
    const id = ids[which % Math.max(ids.length, 1)] ?? `${which}-${which}`;
    this.#frame(index, command, { id, 'message-id': id, subscription: 's1' }, '', 0);
  }

  #frame(index: number, command: string, headers: FrameHeaders, body: string, cut: number): void {
    const client = this.clients[index] as FakeClient;
    const sent = this.#sent[index] as Sent;
    this.#count += 1;
    const receipt = `r${this.#count}`;
    const id = command === 'SUBSCRIBE' ? { id: `s${this.#count}` } : {};
    if (!sent.left && !client.connection.closed) {
      const free = sent.spoilt || headers['transaction'] !== undefined;
      (free ? sent.mayBe : sent.owed).push(receipt);
    }
    if (command === 'DISCONNECT' && !sent.spoilt) sent.left = true;
    if (isPattern(headers['destination'] ?? '')) this.#wild.add(`s${this.#count}`);
    const resume =
      headers['resume'] === undefined ? {} : { resume: headers['resume'].replace('?', this.#epoch) };
    const data = encode(client.version, command, { ...headers, ...resume, ...id, receipt }, body);
    const bytes = Buffer.from(data as string);
    for (const part of [bytes.subarray(0, cut), bytes.subarray(cut)]) {
      client.session.receive(new Uint8Array(part), cut >= bytes.length);
    }
  }

  /** What the dead shard had asked of the store is over before another one takes its place. */
  async #start(): Promise<void> {
    for (const held of [...this.node.storage.heldCommits]) held.settle();
    await this.node.settle();
    this.node.startShard(0);
  }

  #read({ connection, session }: FakeClient): void {
    connection.reads = true;
    connection.bufferedBytes = 0;
    if (!connection.closed) this.node.edges[0]?.drained(session);
  }

  /** Lets everything that waits come to its end. */
  async end(): Promise<void> {
    const { node } = this;
    if (!this.#alive) await this.#start();
    node.storage.holdsCommits = false;
    for (let round = 0; round < 4; round += 1) {
      for (const held of [...node.storage.heldCommits]) held.settle();
      for (const client of this.clients) this.#read(client);
      await node.settle();
    }
  }

  check(): void {
    expect(this.node.misuses).toEqual([]);
    expect(this.node.idle).toBe(true);
    for (const [index, client] of this.clients.entries()) {
      const { owed, mayBe } = this.#sent[index] as Sent;
      const answered = [...client.receipts, ...client.refusals.flatMap(({ receipt }) => receipt ?? [])];
      expect(answered).toHaveLength(new Set(answered).size);
      const known = new Set([...owed, ...mayBe]);
      expect(answered.filter((receipt) => !known.has(receipt))).toEqual([]);
      if (!client.connection.closed)
        expect(owed.filter((receipt) => !answered.includes(receipt))).toEqual([]);
      expect(client.commands.filter((command) => command === 'ERROR').length).toBeLessThanOrEqual(1);
      this.#checkStreams(client);
    }
  }

  /** No subscription of one destination has a gap or a repeat. */
  #checkStreams({ frames }: FakeClient): void {
    const last = new Map<string, { epoch: string; seq: number }>();
    for (const { headers } of frames) {
      const { seq, epoch, subscription, destination: of, recovered } = headers;
      if (seq === undefined || epoch === undefined || this.#wild.has(subscription ?? '')) continue;
      const key = `${subscription} ${of}`;
      const before = last.get(key);
      if (before?.epoch === epoch && recovered !== 'false') expect(Number(seq)).toBe(before.seq + 1);
      last.set(key, { epoch, seq: Number(seq) });
    }
  }
}

test('[SESSION17] whatever comes, nothing throws, every receipt is answered once, and no stream has a gap', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 150, size: 'max' }), async (steps) => {
      const fuzz = new Fuzz();
      await fuzz.begin();
      try {
        for (const one of steps) await fuzz.apply(one);
        await fuzz.end();
        fuzz.check();
      } finally {
        fuzz.node.close();
      }
    }),
    { numRuns: 300 },
  );
});

test('[SESSION17] any bytes before or instead of CONNECT end in an answer or in silence, never in a throw', async () => {
  const node = new InProcessNode();
  const piece = fc.oneof(
    brokenBytes,
    fc
      .constantFrom('CONNECT\n', 'accept-version:1.2\n', 'authorization:Bearer a\n', '\n', '\0')
      .map((text) => Buffer.from(text)),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(piece, fc.boolean()), { maxLength: 12 }), async (pieces) => {
      const client = node.open();
      for (const [bytes, isText] of pieces) client.session.receive(bytes, isText);
      await node.settle();
      expect(client.commands.length).toBeLessThanOrEqual(2);
      client.connection.drop();
    }),
    { numRuns: 200 },
  );
  expect(node.misuses).toEqual([]);
  node.close();
});
