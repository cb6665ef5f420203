// Sessions over HTTP on a clock that stands still: beats, delays and bounds.
import { beforeEach, describe, expect, test } from 'vitest';
import type { SockjsConnection } from '../../src/edge/sockjs/connection.ts';
import { Endpoint, type EndpointLimits } from '../../src/edge/sockjs/endpoint.ts';
import { messageFrame } from '../../src/edge/sockjs/frames.ts';
import { HttpGroups } from '../../src/edge/sockjs/http-groups.ts';
import type { TransportName } from '../../src/edge/sockjs/transport.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { FakeExchange } from '../support/fake-exchange.ts';

const limits: EndpointLimits = {
  heartBeatMs: 25_000,
  disconnectDelayMs: 5_000,
  responseBytesMax: 4_096,
  messageBytesMax: 65_536,
  unreadBytesMax: 10_000,
  sessionsMax: 3,
};

let clock: FakeClock;
let groups: HttpGroups;
let endpoint: Endpoint;
/** What was opened, and what happened to it. */
let opened: SockjsConnection[];
let happenings: string[];
let onOpen: (connection: SockjsConnection) => void;
let onMessage: (connection: SockjsConnection, text: string) => void;

beforeEach(() => {
  clock = new FakeClock();
  groups = new HttpGroups();
  opened = [];
  happenings = [];
  onOpen = () => undefined;
  onMessage = () => undefined;
  endpoint = new Endpoint({
    base: '/echo',
    app: {
      open: (connection) => {
        opened.push(connection);
        onOpen(connection);
        return {
          message: (text) => {
            happenings.push(text);
            onMessage(connection, text);
          },
          drained: () => void happenings.push('drained'),
          closed: () => void happenings.push('closed'),
          admits: () => true,
        };
      },
    },
    clock,
    groups,
    allows: () => true,
    frames: 'all',
    clientUrl: '/sockjs.js',
    hasWebSocket: true,
    newCookie: null,
    limits,
  });
});

function ask(transport: TransportName, body = '', session = 'a'): FakeExchange {
  const exchange = new FakeExchange();
  endpoint.serve(exchange, { kind: 'session', session, transport }, Buffer.from(body));
  return exchange;
}

function open(transport: 'xhr' | 'xhr_streaming'): { connection: SockjsConnection; first: FakeExchange } {
  const first = ask(transport);
  expect(first.frames).toBe('o\n');
  return { connection: opened.at(-1) as SockjsConnection, first };
}

/** Lets what is gathered go out. */
const flushed = (): Promise<void> => Promise.resolve();

describe('beats', () => {
  test('[SOCKJS22] a response that brings nothing for 25 seconds brings one, a poll ends with it', () => {
    open('xhr');
    const waiting = ask('xhr');
    clock.advance(24_999);
    expect(waiting.frames).toBe('');
    clock.advance(1);
    expect([waiting.frames, waiting.done]).toEqual(['h\n', true]);
    clock.advance(3_000);
    const next = ask('xhr');
    clock.advance(24_999);
    expect(next.frames).toBe('');
    clock.advance(1);
    expect(next.frames).toBe('h\n');
  });

  test('[SOCKJS22] a response that goes on brings one every 25 seconds after the last frame', async () => {
    const { connection, first } = open('xhr_streaming');
    clock.advance(20_000);
    connection.send('a');
    await flushed();
    clock.advance(24_999);
    expect(first.frames).toBe('o\na["a"]\n');
    clock.advance(1 + 50_000);
    expect(first.frames).toBe('o\na["a"]\nh\nh\nh\n');
  });

  test('[SOCKJS22] none come any more where the messages have their own', () => {
    const { connection, first } = open('xhr_streaming');
    connection.stopBeats();
    clock.advance(100_000);
    expect(first.frames).toBe('o\n');
  });
});

describe('a client that asks for nothing', () => {
  test('[SOCKJS23] is gone after five seconds, and its session with it', () => {
    open('xhr');
    clock.advance(4_999);
    expect(happenings).toEqual([]);
    clock.advance(2);
    expect(happenings).toEqual(['closed']);
    expect(endpoint.size).toBe(0);
    expect(ask('xhr_send', '["a"]').status).toBe(404);
    expect(ask('xhr').frames).toBe('o\n');
  });

  test('[SOCKJS23] is not gone while it waits, and has five seconds again after each response', () => {
    open('xhr');
    for (let round = 0; round < 3; round += 1) {
      clock.advance(4_999);
      const waiting = ask('xhr');
      clock.advance(25_000);
      expect(waiting.frames).toBe('h\n');
    }
    expect(happenings).toEqual([]);
    clock.advance(5_001);
    expect(happenings).toEqual(['closed']);
  });

  test('[SOCKJS23] has longer after a large response, as it takes time to read', async () => {
    const { connection } = open('xhr');
    connection.send('x'.repeat(9_000));
    connection.send('x');
    await flushed();
    expect(ask('xhr').frames.length).toBe(9_006);
    clock.advance(5_000 + 200);
    expect(happenings).not.toContain('closed');
    clock.advance(200);
    expect(happenings).toContain('closed');
  });

  test('[SOCKJS8] is told of the end as long as that is kept, and it is not kept longer for being asked', () => {
    const { connection } = open('xhr');
    connection.close(3001, 'over');
    for (let second = 0; second < 4; second += 1) {
      clock.advance(1_000);
      expect(ask('xhr').frames).toBe('c[3001,"over"]\n');
    }
    clock.advance(1_001);
    expect(endpoint.size).toBe(0);
  });

  test('[SOCKJS8] may be closed as it opens', async () => {
    onOpen = (connection) => {
      connection.send('first and last');
      connection.close(3001, 'over');
    };
    const { first } = open('xhr');
    await flushed();
    expect([first.frames, ask('xhr').frames]).toEqual(['o\n', 'a["first and last"]\n']);
    expect(ask('xhr').frames).toBe('c[3001,"over"]\n');
    expect(happenings).toEqual(['closed']);
  });

  test('[SOCKJS8] gets what was sent before the end', async () => {
    const { connection } = open('xhr');
    connection.send('last words');
    connection.close(3001, 'over');
    connection.send('too late');
    await flushed();
    expect(ask('xhr').frames).toBe('a["last words"]\n');
    expect(ask('xhr').frames).toBe('c[3001,"over"]\n');
    expect(happenings).toEqual(['closed']);
  });

  test('[SOCKJS8] gets both in one response where that goes on', async () => {
    const { connection, first } = open('xhr_streaming');
    connection.send('last words');
    connection.close(3001, 'over');
    await flushed();
    expect([first.frames, first.done]).toEqual(['o\na["last words"]\nc[3001,"over"]\n', true]);
  });
});

describe('bounds', () => {
  test('[SOCKJS24] more than may wait for a client ends its session', async () => {
    const { connection } = open('xhr');
    connection.send('x'.repeat(9_000));
    await flushed();
    expect(connection.bufferedBytes).toBe(9_002);
    connection.send('x'.repeat(1_000));
    await flushed();
    expect(connection.bufferedBytes).toBe(0);
    expect(ask('xhr').frames).toBe('c[4008,"too slow a reader"]\n');
    expect(happenings).toEqual(['closed']);
  });

  test('[SOCKJS24] there are so many sessions, one more is turned away', () => {
    for (const name of ['a', 'b', 'c']) expect(ask('xhr', '', name).frames).toBe('o\n');
    expect(ask('xhr', '', 'd').status).toBe(503);
    clock.advance(5_001);
    expect(ask('xhr', '', 'd').frames).toBe('o\n');
  });

  test('[SOCKJS17] one response brings about as much as it may, the next brings more', async () => {
    const { connection } = open('xhr');
    for (let index = 0; index < 8; index += 1) connection.send('x'.repeat(1_000));
    await flushed();
    const sizes = [ask('xhr'), ask('xhr')].map(({ frames }) => frames.length);
    expect(sizes).toEqual([5 * 1_002 + 4 + 4, 3 * 1_002 + 2 + 4]);
    expect(happenings).toEqual(['drained', 'drained']);
  });

  test('[SOCKJS6] what is sent together comes in one frame', async () => {
    const { connection, first } = open('xhr_streaming');
    connection.send('a');
    connection.send('b');
    await flushed();
    connection.send('c');
    await flushed();
    expect(first.chunks.slice(2)).toEqual(['a["a","b"]\n', 'a["c"]\n']);
  });
});

describe('groups', () => {
  test('[SOCKJS38] what is published reaches whoever has joined, until they leave or end', async () => {
    const [one, other] = [ask('xhr_streaming', '', 'a'), ask('xhr_streaming', '', 'b')];
    const [first, second] = opened as [SockjsConnection, SockjsConnection];
    for (const connection of opened) connection.join('g');
    groups.publish('g', messageFrame('to both'));
    await flushed();
    first.leave('g');
    groups.publish('g', messageFrame('to one'));
    await flushed();
    second.close(3000, 'Go away!');
    groups.publish('g', messageFrame('to nobody'));
    await flushed();
    expect(one.frames).toBe('o\na["to both"]\n');
    expect(other.frames).toBe('o\na["to both"]\na["to one"]\nc[3000,"Go away!"]\n');
  });
});

describe('messages', () => {
  test('[SOCKJS6] of a list are taken in order, and none after the end', () => {
    open('xhr');
    onMessage = (connection, text) => {
      if (text === 'b') connection.close(3000, 'Go away!');
    };
    expect(ask('xhr_send', '["a","b","c"]').status).toBe(204);
    expect(happenings).toEqual(['a', 'b', 'closed']);
    expect(ask('xhr_send', '["d"]').status).toBe(204);
    expect(happenings).toEqual(['a', 'b', 'closed']);
  });

  test('[SOCKJS9] what waited is gone with a client that cut its request off', async () => {
    const { connection, first } = open('xhr_streaming');
    connection.send('a');
    first.abort();
    await flushed();
    expect(ask('xhr_streaming').frames).toBe('c[1002,"Connection interrupted"]\n');
    expect(happenings).toEqual(['closed']);
  });
});
