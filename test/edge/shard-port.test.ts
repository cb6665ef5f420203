// An edge's side of one shard, with the other end in the test's hands.
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Channel } from '../../src/edge/fan-out.ts';
import type { Session } from '../../src/edge/session.ts';
import { ShardPort, type Attachment, type Waiting } from '../../src/edge/shard-port.ts';
import { Subscription } from '../../src/edge/subscription.ts';
import type { Refusal } from '../../src/errors.ts';
import { createLink, Link, linkLimits } from '../../src/link/link.ts';
import { ToEdge, ToShard, type ToEdgeMessage, type ToShardMessage } from '../../src/link/messages.ts';

interface Shard {
  readonly link: Link<ToEdgeMessage, ToShardMessage>;
  readonly received: ToShardMessage[];
}

let port: ShardPort;
let happened: unknown[];
const shards: Shard[] = [];
/** What was asked, as `answered` or a code. */
let answers: string[];

const asker = ['alice', []] as const;
const session = { asker } as unknown as Session;
const source = {
  type: 'stream',
  destination: '/topic/a',
  shown: '/topic/a',
  actor: 'topic/a',
  stream: 's',
  params: null,
} as const;

beforeEach(() => {
  happened = [];
  answers = [];
  port = new ShardPort({
    published: (message) => happened.push(['published', message[1]]),
    subscribed: ({ number }) => happened.push(['subscribed', number]),
    subscriptionRefused: ({ number }, { code }) => happened.push(['refused', number, code]),
    revoked: (message) => happened.push(['revoked', message[1]]),
    attached: (message) => happened.push(['attached', message[1], message[2]]),
    detached: (message) => happened.push(['detached', message[1], message[2]]),
    delivered: (message) => happened.push(['delivered', message[1], ...message[2]]),
    lost: () => happened.push(['lost']),
  });
});

afterEach(() => {
  port.close();
  for (const { link } of shards.splice(0)) link.close();
});

/** Joins the port with a shard that answers nothing by itself. */
function join(
  channels: readonly Channel[] = [],
  attachments: readonly Attachment[] = [],
  hasPatterns = false,
): Shard {
  const [edgeEnd, shardEnd] = createLink();
  const received: ToShardMessage[] = [];
  const link = new Link<ToEdgeMessage, ToShardMessage>(
    shardEnd,
    (message) => received.push(message),
    () => undefined,
  );
  shards.push({ link, received });
  port.connect(edgeEnd, channels, attachments, hasPatterns);
  return { link, received };
}

function ask(name: string, body: Uint8Array = new Uint8Array(0)): void {
  const waiting: Waiting = {
    answered: () => answers.push(`${name} answered`),
    refused: ({ code }: Refusal) => answers.push(`${name} ${code}`),
  };
  const fields = ['topic/a', 'send', asker, null, null, null, body, true] as const;
  port.request({ op: ToShard.command, fields }, waiting);
}

function subscription(number: number): Subscription {
  return new Subscription({ number, session, id: 'i', source, ack: 'auto', from: null, receipt: null });
}

async function rounds(): Promise<void> {
  for (let round = 0; round < 10; round += 1) await new Promise(setImmediate);
}

test('[PORT1] each answer reaches the one who asked, once; what nobody asked is left alone', async () => {
  const { link, received } = join();
  for (const name of ['a', 'b', 'c']) ask(name);
  await rounds();
  const [first, second, third] = received.map(([, request]) => request as number);
  expect(port.idle).toBe(false);
  for (const request of [third, second, second, 999]) link.send([ToEdge.reply, request ?? 0, null], 0);
  link.send([ToEdge.refuse, first ?? 0, 'NOT_FOUND', 'text', {}], 0);
  await rounds();
  expect(answers).toEqual(['c answered', 'b answered', 'a NOT_FOUND']);
  expect(port.idle).toBe(true);
});

test('[PORT2] without a shard a request is refused at once, and those of a lost one are refused', async () => {
  ask('early');
  expect(answers).toEqual(['early UNAVAILABLE']);
  const { link } = join();
  ask('lost');
  await rounds();
  link.close();
  await rounds();
  expect(answers).toEqual(['early UNAVAILABLE', 'lost UNAVAILABLE']);
  expect([port.connected, port.idle]).toEqual([false, true]);
});

test('[PORT2] an answer of a lost shard does not answer a later request', async () => {
  const old = join();
  ask('old');
  await rounds();
  const [, request] = old.received[0] ?? [];
  const next = join();
  ask('new');
  old.link.send([ToEdge.reply, request as number, null], 0);
  await rounds();
  expect(answers).toEqual(['old UNAVAILABLE']);
  expect(port.connected).toBe(true);
  next.link.send([ToEdge.reply, next.received[0]?.[1] as number, null], 0);
  await rounds();
  expect(answers).toEqual(['old UNAVAILABLE', 'new answered']);
});

test('[PORT3] a new shard hears of wildcards first, of sessions, of live channels, and of what was starting', async () => {
  const starting = subscription(7);
  port.subscribe(starting);
  const paged = subscription(8);
  port.subscribe(paged);
  paged.epoch = 'e';
  paged.delivered = 40;
  const channel = new Channel(source);
  channel.subscriptions.add(subscription(1)).add(subscription(2));
  channel.epoch = 'e';
  channel.seq = 12;
  const attachment = { actor: 'presence/alice', session: 's1', user: 'alice' };
  const { received } = join([channel], [attachment], true);
  await rounds();
  expect(received).toEqual([
    [ToShard.wildcards, true],
    [ToShard.attach, 'presence/alice', 's1', 'alice', true],
    [ToShard.rejoin, 'topic/a', 's', '/topic/a', null, 2, 'e', 12],
    [ToShard.subscribe, 7, 'topic/a', 's', '/topic/a', asker, null, null],
    [ToShard.replay, 8, 'topic/a', 's', '/topic/a', asker, null, 'e', 40],
  ]);
});

test('[PORT3] a start is told once; what is no longer starting is left alone', async () => {
  const { link } = join();
  port.subscribe(subscription(7));
  port.subscribe(subscription(8));
  for (const number of [7, 7, 9]) link.send([ToEdge.subscribed, number, true, null, 'e', 0, []], 0);
  for (const number of [8, 8, 9]) link.send([ToEdge.refuseSubscription, number, 'FORBIDDEN', '', {}], 0);
  link.send([ToEdge.revoke, '/topic/a', 'bob'], 0);
  link.send([ToEdge.publish, '/topic/a', 'e', [1, null, new Uint8Array(0), true], false], 0);
  await rounds();
  expect(happened).toEqual([
    ['subscribed', 7],
    ['refused', 8, 'FORBIDDEN'],
    ['revoked', '/topic/a'],
    ['published', '/topic/a'],
  ]);
});

test('[PORT4] while too much waits to cross, requests and subscriptions are refused at once', () => {
  join();
  const body = new Uint8Array(linkLimits.queueBytesMax / 4);
  for (let index = 0; index < 5; index += 1) ask('big', body);
  expect(answers).toEqual([]);
  ask('over');
  port.subscribe(subscription(7));
  expect(answers).toEqual(['over UNAVAILABLE']);
  expect(happened).toEqual([['refused', 7, 'UNAVAILABLE']]);
});
