// SockJS over WebSocket, and what is no proper request for one.
import { once } from 'node:events';
import { beforeAll, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { ask, fetchWhole, newSession, startServices } from '../support/sockjs.ts';
import { Watch } from '../support/watch.ts';

let url: string;
let base: string;

beforeAll(async () => {
  url = await startServices();
  base = `${url}/echo`;
});

class Socket {
  readonly messages: string[] = [];
  closed: { readonly code: number; readonly reason: string } | null = null;
  readonly #socket: WebSocket;
  readonly #watch = new Watch(() => JSON.stringify(this.messages));

  constructor(place: string) {
    this.#socket = new WebSocket(place.replace('http', 'ws'));
    this.#socket.on('message', (data: Buffer, isBinary) => {
      this.messages.push(isBinary ? 'bytes' : data.toString());
      this.#watch.changed();
    });
    this.#socket.on('close', (code, reason) => {
      this.closed = { code, reason: reason.toString() };
      this.#watch.changed();
    });
  }

  async open(): Promise<this> {
    await once(this.#socket, 'open');
    return this;
  }

  send(message: string): void {
    this.#socket.send(message);
  }

  /** Resolves when so many messages have come. */
  received(count: number): Promise<void> {
    return this.#watch.until(() => this.messages.length >= count, `${count} messages`);
  }

  async ended(): Promise<{ readonly code: number; readonly reason: string } | null> {
    await this.#watch.until(() => this.closed !== null, 'closed');
    return this.closed;
  }

  close(): void {
    this.#socket.close();
  }
}

async function expectMessages(socket: Socket, ...messages: readonly string[]): Promise<void> {
  await socket.received(messages.length);
  expect(socket.messages).toEqual(messages);
}

describe('with frames', () => {
  test('[SOCKJS11] opens with o and echoes; empty messages count for nothing', async () => {
    const socket = new Socket(`${newSession(base)}/websocket`);
    await expectMessages(socket, 'o');
    socket.send('');
    socket.send('["a"]');
    socket.send('["b","c"]');
    await expectMessages(socket, 'o', 'a["a"]', 'a["b"]', 'a["c"]');
    socket.close();
  });

  test('[SOCKJS11] what is closed gets its frame and its end', async () => {
    const socket = new Socket(`${newSession(`${url}/close`)}/websocket`);
    await expectMessages(socket, 'o', 'c[3000,"Go away!"]');
    expect(await socket.ended()).toEqual({ code: 3000, reason: 'Go away!' });
  });

  test.each(['["a', 'a', '{}', '[1]', '"a"'])(
    '[SOCKJS11] %s ends the connection without a frame',
    async (broken) => {
      const socket = new Socket(`${newSession(base)}/websocket`);
      await expectMessages(socket, 'o');
      socket.send(broken);
      expect(await socket.ended()).toMatchObject({ code: 1007 });
      await expectMessages(socket, 'o');
    },
  );

  test('[SOCKJS11] two may have the same session, and one after another', async () => {
    const place = `${newSession(base)}/websocket`;
    const [one, other] = [new Socket(place), new Socket(place)];
    await expectMessages(one, 'o');
    await expectMessages(other, 'o');
    one.send('["a"]');
    other.send('["b"]');
    await expectMessages(one, 'o', 'a["a"]');
    await expectMessages(other, 'o', 'a["b"]');
    one.close();
    other.close();
    await one.ended();
    const third = new Socket(place);
    await expectMessages(third, 'o');
    third.close();
  });

  test('[SOCKJS20] text comes back as it was', async () => {
    const socket = await new Socket(`${newSession(base)}/websocket`).open();
    socket.send(JSON.stringify(['\u0000\n é 😀 \u2028 \uffff']));
    await expectMessages(socket, 'o', String.raw`a["\u0000\n é \ud83d\ude00 \u2028 \uffff"]`);
    socket.close();
  });
});

describe('without frames', () => {
  test('[SOCKJS19] messages go through as they are', async () => {
    const socket = await new Socket(`${base}/websocket`).open();
    socket.send('Hello world!\uffff');
    socket.send('');
    await expectMessages(socket, 'Hello world!\uffff', '');
    socket.close();
  });

  test('[SOCKJS19] what is closed is closed', async () => {
    const socket = new Socket(`${url}/close/websocket`);
    expect(await socket.ended()).toEqual({ code: 3000, reason: 'Go away!' });
    await expectMessages(socket);
  });
});

describe('what is no request for one', () => {
  test('[SOCKJS10] is told so', async () => {
    for (const place of [`${base}/0/0/websocket`, `${base}/websocket`]) {
      const plain = await fetchWhole(place);
      expect(plain.status).toBe(400);
      expect(plain.body).toContain('Can "Upgrade" only to "WebSocket".');
      const headers = { upgrade: 'WebSocket', connection: 'close' };
      const half = await fetchWhole(place, 'GET', { headers });
      expect(half.status).toBe(400);
      expect(half.body).toContain('"Connection" must be "Upgrade".');
    }
  });

  test('[SOCKJS4] ids are what they are elsewhere', async () => {
    for (const path of ['/a./a/websocket', '/a/a./websocket', '/a;/a/websocket', '//a/websocket']) {
      const socket = new WebSocket(`${base.replace('http', 'ws')}${path}`);
      const [error] = (await once(socket, 'error')) as [Error];
      expect(error.message).toContain('404');
    }
  });

  test.each(['7', '8', '13'])('[SOCKJS10] version %s of the handshake is taken', async (version) => {
    const response = await ask(`${newSession(base)}/websocket`, 'GET', {
      headers: {
        upgrade: 'websocket',
        connection: version === '7' ? 'keep-alive, Upgrade' : 'Upgrade',
        'sec-websocket-version': version,
        'sec-websocket-origin': 'http://asd',
        'sec-websocket-key': 'x3JJHMbDL1EzLkh9GBhXDw==',
      },
    });
    expect(response.status).toBe(101);
    expect(response.headers).toMatchObject({
      'sec-websocket-accept': 'HSmrc0sMlYUkAGmm5OPpG2HaGWk=',
      connection: 'Upgrade',
      upgrade: 'websocket',
    });
    expect(response.headers).not.toHaveProperty('content-length');
    response.close();
  });
});
