// A room from its newest messages on, however late a connection comes and whatever is missed between.
import { afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import type { ChatMessage, Notification, Room } from '../../src/client/index.ts';
import { closeOurClients, connectOurs, type OurClient } from '../support/our-client.ts';
import { range } from '../support/rooms.ts';
import { startServer, type TestServer } from '../support/server.ts';

let server: TestServer;
let ann: OurClient;
let anns: Room;

beforeAll(async () => {
  server = await startServer();
});
beforeEach(async () => {
  ann = await connectOurs(server, 'ann');
  anns = ann.rooms.room((await ann.rooms.create('lobby')).roomId);
});
afterEach(closeOurClients);

/** A token that comes when the test says so, each time anew. */
class Gate {
  asked = 0;
  readonly #user: string;
  readonly #open: (() => void)[] = [];
  isOpen = false;

  constructor(user: string) {
    this.#user = user;
  }

  readonly token = async (): Promise<string> => {
    this.asked += 1;
    if (!this.isOpen) await new Promise<void>((open) => this.#open.push(open));
    return server.token(this.#user);
  };

  /** Lets those through that wait. */
  pass(): void {
    for (const open of this.#open.splice(0)) open();
  }

  open(): void {
    this.isOpen = true;
    this.pass();
  }
}

/** Sockets that can be cut; from then on the server is asked for a place that no stream has. */
class Line {
  #socket: WebSocket | null = null;
  #isForgetful = false;

  readonly socket = (url: string): WebSocket => {
    const socket = new WebSocket(url, ['v12.stomp']);
    const send = socket.send.bind(socket) as (data: unknown) => void;
    socket.send = (data: unknown): void => {
      const isChanged = this.#isForgetful && typeof data === 'string';
      send(isChanged ? data.replace(/^resume:.*$/m, 'resume:none\\c0') : data);
    };
    this.#socket = socket;
    return socket;
  };

  cut(isForgetful = true): void {
    this.#isForgetful = isForgetful;
    this.#socket?.terminate();
  }
}

const send = async (texts: readonly string[]): Promise<void> => {
  for (let at = 0; at < texts.length; at += 500)
    await Promise.all(texts.slice(at, at + 500).map((text) => anns.send(text)));
};
const contents = (client: OurClient): string[] =>
  client.noted<ChatMessage>('told').map(({ content }) => content);

function follow(client: OurClient, limit?: number): () => void {
  return client.rooms.room(anns.roomId).follow({
    message: client.note('told'),
    reset: () => client.note('reset')(client.noted('told').length),
    ...(limit === undefined ? {} : { limit }),
  });
}

test('[CLIENT80] a followed room begins with its newest messages, though others send while connections fail', async () => {
  await send(['1', '2', '3']);
  const gate = new Gate('bob');
  let sockets = 0;
  const socket = (url: string): WebSocket => {
    sockets += 1;
    if (sockets === 1) throw new Error('no network yet');
    return new WebSocket(url, ['v12.stomp']);
  };
  const bob = await connectOurs(server, 'bob', { token: gate.token, socket }, false);
  follow(bob, 3);
  gate.pass();
  await bob.is('waiting');
  await send(['4']);
  await bob.is('connecting');
  await send(['5']);
  gate.pass();
  // Resolves when what was subscribed to before has begun.
  await bob.topics.publish('/topic/other', 'done');
  // The history is asked for, and waits for its token: this is in it, and comes live too.
  expect(gate.asked).toBe(3);
  await send(['6']);
  gate.open();
  await bob.heard('told', 3);
  await send(['7']);
  await bob.heard('told', 4);
  expect(contents(bob)).toEqual(['4', '5', '6', '7']);
  expect(bob.noted('reset')).toEqual([0]);
});

test('[CLIENT81] what was missed while it was followed is told too, where the stream can not go on', async () => {
  const [gate, line] = [new Gate('bob'), new Line()];
  gate.isOpen = true;
  const bob = await connectOurs(server, 'bob', { token: gate.token, socket: line.socket });
  const stop = follow(bob);
  await bob.heard('reset', 1);
  await send(['1', '2']);
  await bob.heard('told', 2);
  gate.isOpen = false;
  line.cut();
  await bob.is('waiting');
  // More than a page.
  await send(range(3, 252).map(String));
  gate.open();
  await bob.heard('told', 252);
  await send(['253']);
  await bob.heard('told', 253);
  expect(bob.noted<ChatMessage>('told').map(({ seq }) => seq)).toEqual(range(1, 253));
  expect(bob.noted('reset')).toEqual([0]);
  stop();
  await send(['not heard']);
  expect(bob.noted('told')).toHaveLength(253);
});

test('[CLIENT81] more than a thousand are not fetched: the list begins anew, and says so', async () => {
  const [gate, line] = [new Gate('bob'), new Line()];
  gate.isOpen = true;
  const bob = await connectOurs(server, 'bob', { token: gate.token, socket: line.socket });
  follow(bob, 10);
  await bob.heard('reset', 1);
  await send(['1']);
  await bob.heard('told', 1);
  gate.isOpen = false;
  line.cut();
  await bob.is('waiting');
  await send(range(2, 1_002).map(String));
  gate.open();
  await bob.heard('told', 11);
  expect(bob.noted<ChatMessage>('told').map(({ seq }) => seq)).toEqual([1, ...range(993, 1_002)]);
  expect(bob.noted('reset')).toEqual([0, 1]);
});

test('[CLIENT81] a history that can not be had yet is told of and asked for again', async () => {
  await send(['1']);
  let asked = 0;
  const token = (): Promise<string> => {
    asked += 1;
    return asked === 2 ? Promise.reject(new Error('no token for that')) : server.token('bob');
  };
  const bob = await connectOurs(server, 'bob', { token });
  bob.onRefusal(bob.note('refusals'));
  follow(bob);
  expect(await bob.heard('refusals', 1)).toMatchObject([{ message: 'no token for that' }]);
  await bob.heard('told', 1);
  expect(() => follow(bob, 1_001)).toThrow(RangeError);
});

test('[CLIENT81] a room that may not be followed says so, once', async () => {
  const { roomId } = await ann.rooms.create('secret', true);
  const bob = await connectOurs(server, 'bob');
  bob.onRefusal(bob.note('refusals'));
  bob.rooms.room(roomId).follow({ message: bob.note('told') });
  bob.rooms.room(roomId).follow({ message: bob.note('told'), refused: bob.note('refused') });
  expect(await bob.heard('refused', 1)).toMatchObject([{ code: 'FORBIDDEN' }]);
  expect(bob.noted('refusals')).toMatchObject([{ code: 'FORBIDDEN' }]);
});

test('[CLIENT82] a listener is told from where on everything comes: at the start, and after what was missed', async () => {
  const shop = await connectOurs(server, 'shop', { roles: ['service'] });
  const [gate, line] = [new Gate('cid'), new Line()];
  const cid = await connectOurs(server, 'cid', { token: gate.token, socket: line.socket }, false);
  const listeners = (name: string) => ({
    live: () => cid.note(name)('live'),
    missed: () => cid.note(name)('missed'),
  });
  cid.rooms.room(anns.roomId).onMessage({ message: cid.note('messages'), ...listeners('room') });
  cid.notifications.onNotification({ notification: cid.note('notes'), ...listeners('own') });
  cid.topics.on('/topic/live/one', { message: cid.note('one'), ...listeners('topic') });
  cid.topics.on('/topic/live/*', { message: cid.note('all'), ...listeners('pattern') });
  const told = (): unknown[][] => ['room', 'own', 'topic', 'pattern'].map((name) => cid.noted(name));
  await send(['before it begins']);
  expect(told()).toEqual([[], [], [], []]);
  gate.open();
  for (const name of ['room', 'own', 'topic', 'pattern']) await cid.heard(name, 1);
  await send(['after']);
  await shop.notifications.notify(['cid'], { type: 'INFO', message: 'hello' });
  expect(await cid.heard<ChatMessage>('messages', 1)).toMatchObject([{ content: 'after' }]);
  expect(await cid.heard<Notification>('notes', 1)).toMatchObject([{ message: 'hello' }]);
  line.cut(false);
  await cid.heard('pattern', 2);
  expect(told()).toEqual([['live'], ['live'], ['live'], ['live', 'live']]);
  line.cut();
  await cid.heard('pattern', 3);
  const missed = ['live', 'missed', 'live'];
  expect(told()).toEqual([missed, missed, missed, ['live', 'live', 'live']]);
});
