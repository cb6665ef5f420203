// A front end of Spring's that is moved over by changing its URL: it connects again after every loss, subscribes anew
// and asks for what it has missed.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import SockJS from 'sockjs-client';
import Stomp from 'stompjs';
import { describe, expect, onTestFinished, test } from 'vitest';
import { openBrowser } from '../support/browser.ts';
import { runsPages } from '../support/chromium.ts';
import { startFaultProxy } from '../support/fault-proxy.ts';
import { createRoom, say } from '../support/rooms.ts';
import { startServer } from '../support/server.ts';
import { SpringPage, type PageGlobals } from '../support/spring-page.ts';
import { connectStomp } from '../support/stomp.ts';
import { deadlineMs, Watch } from '../support/watch.ts';

const require = createRequire(import.meta.url);
const scripts = ['sockjs-client/dist/sockjs.js', 'stompjs/lib/stomp.js'].map((file) =>
  readFileSync(require.resolve(file), 'utf8'),
);
// It never gives up while a server is on its way up on a busy machine.
const patience = { baseDelayMs: 20, delayMsMax: 200, attemptsMax: 10_000 };
const withinMs = 120_000;

type Arguments = readonly string[];

/** The front end, here or in a browser: what is done with it refers to nothing around it. */
interface FrontEnd {
  ask<Answer>(what: (page: SpringPage, given: Arguments) => Answer, given?: Arguments): Promise<Answer>;
  until(holds: (page: SpringPage, given: Arguments) => boolean, given?: Arguments): Promise<void>;
}

type Open = (url: string, token: string) => Promise<FrontEnd>;

async function openHere(url: string, token: string): Promise<FrontEnd> {
  const kept = new Map<string, string>();
  const localStorage: PageGlobals['localStorage'] = {
    getItem: (key) => kept.get(key) ?? null,
    setItem: (key, value) => kept.set(key, value),
  };
  const page = new SpringPage({ SockJS, Stomp, localStorage }, url, token, patience);
  const watch = new Watch(() => JSON.stringify([page, page.contents]));
  page.onChange = () => watch.changed();
  // Else one that failed would try for ever.
  onTestFinished(() => page.leave());
  return Promise.resolve({
    ask: (what, given = []) => Promise.resolve(what(page, given)),
    until: (holds, given = []) => watch.until(() => holds(page, given), holds.toString()),
  });
}

async function openInBrowser(url: string, token: string): Promise<FrontEnd> {
  const browser = await openBrowser();
  const page = await browser.newPage();
  await page.goto(url);
  for (const content of scripts) await page.addScriptTag({ content });
  const options = [url, token, patience].map((option) => JSON.stringify(option)).join();
  await page.evaluate(`window.page = new (${SpringPage.toString()})(window, ${options}); undefined`);
  const called = (what: (page: SpringPage, given: Arguments) => unknown, given: Arguments): string =>
    `(${what.toString()})(page, ${JSON.stringify(given)})`;
  return {
    ask: (what, given = []) => page.evaluate(called(what, given)),
    until: async (holds, given = []) => {
      await page.waitForFunction(called(holds, given), undefined, { timeout: deadlineMs });
    },
  };
}

/**
 * The server crashes and is started again, while others speak.
 *
 * @returns what was said, what the front end shows of it, and how many messages came to it.
 */
async function goThroughLosses(open: Open): Promise<{ said: string[]; shown: string[]; arrived: number }> {
  let server = await startServer({ settings: { edges: '2' } });
  const { port } = new URL(server.url);
  const proxy = await startFaultProxy(Number(port));
  const roomId = await createRoom(server, 'ann', { isPrivate: true, members: ['bob'] });
  const frontEnd = await open(`http://127.0.0.1:${proxy.port}/ws`, await server.token('bob'));
  await frontEnd.ask(
    (page, destinations) => {
      for (const destination of destinations) page.show(destination);
      page.connect();
    },
    [`/topic/room.${roomId}`, '/user/queue/replay'],
  );
  await frontEnd.until((page) => page.connects === 1);
  const said: string[] = [];
  const shows = (content: string): Promise<void> => {
    said.push(content);
    return frontEnd.until((page, [last]) => page.contents.at(-1) === last, [content]);
  };
  const speak = (content: string): Promise<boolean> =>
    frontEnd.ask(
      (page, [room, text]) => page.send(`/app/chat.send/${room}`, { content: text }),
      [roomId, content],
    );
  expect(await speak('hello')).toBe(true);
  await shows('hello');
  for (const [index, signal] of (['SIGKILL', 'SIGTERM'] as const).entries()) {
    proxy.refuse();
    await server.stop(signal);
    await frontEnd.until((page) => page.attempts >= 3);
    expect(await speak('nobody hears this')).toBe(false);
    server = await server.restart({ port });
    const ann = await connectStomp(server, { user: 'ann' });
    for (const count of [1, 2, 3]) {
      said.push(`missed by ${signal}: ${count}`);
      await say(ann, roomId, said.at(-1) as string);
    }
    proxy.admit();
    await frontEnd.until((page, [connects]) => page.connects === Number(connects), [`${index + 2}`]);
    await shows(said.pop() as string);
    await say(ann, roomId, `live after ${signal}`);
    await shows(`live after ${signal}`);
    expect(await speak(`back after ${signal}`)).toBe(true);
    await shows(`back after ${signal}`);
  }
  const shown = await frontEnd.ask((page) => page.contents);
  const arrived = await frontEnd.ask((page) => page.arrived);
  await frontEnd.ask((page) => page.leave());
  await server.logged(
    ({ event, user, reason }) => [event, user, reason].join() === 'disconnect,bob,client left',
    'it has left',
  );
  return { said, shown, arrived };
}

describe('a front end of Spring', () => {
  test(
    '[REFCLIENT1] comes back after a crash and a restart with all that was said',
    async () => {
      const { said, shown, arrived } = await goThroughLosses(openHere);
      expect(shown).toEqual(said);
      expect(arrived).toBe(said.length);
    },
    withinMs,
  );

  test.runIf(runsPages)(
    '[REFCLIENT1] does so in a browser',
    async () => {
      const { said, shown, arrived } = await goThroughLosses(openInBrowser);
      expect(shown).toEqual(said);
      expect(arrived).toBe(said.length);
    },
    withinMs,
  );
});
