// SockJS in a real browser: the client library in a page, over each family of transports.
import { createServer, type Server } from 'node:http';
import { readFileSync } from 'node:fs';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createRequire } from 'node:module';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openBrowser } from '../support/browser.ts';
import { runsPages } from '../support/chromium.ts';
import { startServer, type TestServer } from '../support/server.ts';

const require = createRequire(import.meta.url);
const scripts = [
  require.resolve('sockjs-client/dist/sockjs.js'),
  require.resolve('@stomp/stompjs').replace(/[^/]*$/, 'stomp.umd.js'),
].map((file) => readFileSync(file, 'utf8'));

/** What a page has done: signed in, sent so many messages and got them back. */
interface Outcome {
  readonly transport: string;
  readonly bodies: readonly string[];
  readonly error: string | null;
}

describe.runIf(runsPages)('in a browser', () => {
  let server: TestServer;
  let browser: Browser;
  /** Pages come from here, which is another origin than the server's. */
  let pages: Server;
  let origin: string;

  beforeAll(async () => {
    pages = createServer((_request, response) => {
      response.setHeader('content-type', 'text/html').end('<!doctype html><title>page</title>');
    }).listen(0, '127.0.0.1');
    await once(pages, 'listening');
    origin = `http://localhost:${(pages.address() as AddressInfo).port}`;
    server = await startServer({ settings: { edges: '2', shards: '1', origins: origin } });
    browser = await openBrowser();
  });

  afterAll(() => pages.close());

  /** Signs in from a page of that address, sends three messages and waits for them. */
  async function tryIt(pageUrl: string, transport: string): Promise<Outcome> {
    const page = await browser.newPage();
    await page.goto(pageUrl);
    for (const content of scripts) await page.addScriptTag({ content });
    const token = await server.token(`in-${transport}`);
    const script = `(${inPage.toString()})(${JSON.stringify({ url: `${server.url}/ws`, token, transport })})`;
    const outcome = await page.evaluate<Outcome>(script);
    await page.close();
    return outcome;
  }

  test.each([
    ['websocket', 'websocket'],
    ['xhr-streaming', 'xhr_streaming'],
    ['eventsource', 'eventsource'],
    ['htmlfile', 'htmlfile'],
    ['xhr-polling', 'xhr'],
  ])('[SOCKJS41] a page of the server itself talks over %s', async (transport, name) => {
    const outcome = await tryIt(`${server.url}/ws`, transport);
    expect(outcome).toEqual({ transport, bodies: ['0 <é> 😀', '1 <é> 😀', '2 <é> 😀'], error: null });
    const user = `in-${transport}`;
    await server.logged(
      (line) =>
        line['event'] === 'connect' &&
        line['user'] === user &&
        line['protocol'] === `stomp 1.2, sockjs ${name}`,
    );
  });

  test.each(['websocket', 'xhr-streaming', 'xhr-polling'])(
    '[SOCKJS41] [SOCKJS33] a page of a listed origin talks over %s',
    async (transport) => {
      expect(await tryIt(origin, transport)).toMatchObject({ transport, bodies: { length: 3 }, error: null });
    },
  );

  test('[SOCKJS33] a page of any other origin gets nowhere', async () => {
    const other = origin.replace('localhost', '127.0.0.1');
    expect(await tryIt(other, 'xhr-polling')).toMatchObject({
      bodies: [],
      error: expect.stringContaining('closed'),
    });
  });
});

interface Task {
  readonly url: string;
  readonly token: string;
  readonly transport: string;
}

interface PageSocket {
  readonly transport: string;
}

interface PageClient {
  activate(): void;
  deactivate(): Promise<void>;
  subscribe(destination: string, take: (message: { body: string }) => void, headers: object): void;
  watchForReceipt(receipt: string, then: () => void): void;
  publish(message: { destination: string; body: string }): void;
}

/** Runs in the page. */
function inPage({ url, token, transport }: Task): Promise<Outcome> {
  const globals = globalThis as unknown as {
    SockJS: new (url: string, reserved: null, options: object) => PageSocket;
    StompJs: { Client: new (config: object) => PageClient };
  };
  return new Promise((resolve) => {
    const bodies: string[] = [];
    let socket: PageSocket | null = null;
    let isOver = false;
    const end = (failure: string | null): void => {
      if (isOver) return;
      isOver = true;
      const used = socket?.transport ?? '';
      void client.deactivate().then(() => resolve({ transport: used, bodies, error: failure }));
    };
    const destination = `/topic/page.${transport}`;
    const client = new globals.StompJs.Client({
      webSocketFactory: () => (socket = new globals.SockJS(url, null, { transports: [transport] })),
      connectHeaders: { Authorization: `Bearer ${token}` },
      reconnectDelay: 0,
      onConnect: () => {
        const take = ({ body }: { body: string }): void => {
          bodies.push(body);
          if (bodies.length === 3) end(null);
        };
        client.subscribe(destination, take, { receipt: 'live' });
        client.watchForReceipt('live', () => {
          for (const index of [0, 1, 2]) client.publish({ destination, body: `${index} <é> 😀` });
        });
      },
      onWebSocketClose: ({ code, reason }: { code: number; reason: string }) =>
        end(`closed ${code} ${reason}`),
    });
    client.activate();
  });
}
