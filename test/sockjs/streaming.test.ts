// Transports whose response goes on: how they start, how frames are written, when they end.
import { beforeAll, describe, expect, test } from 'vitest';
import { ask, fetchWhole, newSession, poll, startServices, xhrSend } from '../support/sockjs.ts';

const neverCached = 'no-store, no-cache, must-revalidate, max-age=0';
/** After so many bytes of frames the program ends a response. */
const responseBytesMax = 4_096;
let url: string;
let base: string;

beforeAll(async () => {
  url = await startServices();
  base = `${url}/echo`;
});

interface Transport {
  readonly name: string;
  readonly method: string;
  readonly query: string;
  readonly contentType: string;
  readonly prelude: RegExp;
  readonly written: (frame: string) => string;
}

const scriptOf = (frame: string): string =>
  `<script>\np(${JSON.stringify(frame)
    .replaceAll('<', String.raw`\u003c`)
    .replaceAll('>', String.raw`\u003e`)});\n</script>\r\n`;

const transports: readonly Transport[] = [
  {
    name: 'xhr_streaming',
    method: 'POST',
    query: '',
    contentType: 'application/javascript; charset=UTF-8',
    prelude: /^h{2048}\n$/,
    written: (frame) => `${frame}\n`,
  },
  {
    name: 'eventsource',
    method: 'GET',
    query: '',
    contentType: 'text/event-stream; charset=UTF-8',
    prelude: /^\r\n$/,
    written: (frame) => `data: ${frame}\r\n\r\n`,
  },
  {
    name: 'htmlfile',
    method: 'GET',
    query: '?c=%63all.back_1',
    contentType: 'text/html; charset=UTF-8',
    prelude:
      /^<!doctype html>\n<html><head>[^]*var c = parent\.call\.back_1;[^]*function p\(d\) \{c\.message\(d\);\};[^]*\r\n\r\n$/,
    written: scriptOf,
  },
];

describe.each(transports)('$name', ({ name, method, query, contentType, prelude, written }) => {
  const open = (session: string): ReturnType<typeof ask> => ask(`${session}/${name}${query}`, method);

  test('[SOCKJS14] starts at once, with a prelude and o, and brings each message as it comes', async () => {
    const session = newSession(base);
    const response = await open(session);
    expect(response.status).toBe(200);
    expect(response.headers).toMatchObject({
      'content-type': contentType,
      'cache-control': neverCached,
      'transfer-encoding': 'chunked',
      'access-control-allow-origin': '*',
      'access-control-allow-credentials': 'true',
    });
    expect(await response.chunk()).toMatch(prelude);
    expect(await response.chunk()).toBe(written('o'));
    await xhrSend(session, ['x']);
    expect(await response.chunk()).toBe(written('a["x"]'));
    await xhrSend(session, String.raw`["  \u0000\n\r </script>"]`);
    expect(await response.chunk()).toBe(written(String.raw`a["  \u0000\n\r </script>"]`));
    response.close();
  });

  test('[SOCKJS17] ends after so many bytes of frames; the prelude is none', async () => {
    const session = newSession(base);
    const response = await open(session);
    await response.chunk();
    let bytes = (await response.chunk()).length;
    while (bytes < responseBytesMax) {
      await xhrSend(session, ['x'.repeat(128)]);
      const chunk = await response.chunk();
      expect(chunk).toBe(written(`a["${'x'.repeat(128)}"]`));
      bytes += chunk.length;
    }
    expect(await response.chunk()).toBe('');
    await xhrSend(session, ['later']);
    const next = await open(session);
    await next.chunk();
    expect(await next.chunk()).toBe(written('a["later"]'));
    next.close();
  });

  test('[SOCKJS17] a message larger than that comes whole', async () => {
    const session = newSession(base);
    const response = await open(session);
    await response.chunk();
    await response.chunk();
    await xhrSend(session, ['x'.repeat(responseBytesMax)]);
    expect(await response.chunk()).toBe(written(`a["${'x'.repeat(responseBytesMax)}"]`));
    expect(await response.chunk()).toBe('');
  });

  test('[SOCKJS7] refuses a second request, and ends it', async () => {
    const session = newSession(base);
    const response = await open(session);
    await response.chunk();
    await response.chunk();
    const second = await open(session);
    await second.chunk();
    expect(await second.chunk()).toBe(written('c[2010,"Another connection still open"]'));
    expect(await second.chunk()).toBe('');
    await xhrSend(session, ['x']);
    expect(await response.chunk()).toBe(written('a["x"]'));
    response.close();
  });

  test('[SOCKJS8] a session that is closed says so, then and later, and ends the response', async () => {
    const session = newSession(`${url}/close`);
    const response = await open(session);
    await response.chunk();
    expect(await response.chunk()).toBe(written('o'));
    expect(await response.chunk()).toBe(written('c[3000,"Go away!"]'));
    expect(await response.chunk()).toBe('');
    const later = await open(session);
    await later.chunk();
    expect(await later.chunk()).toBe(written('c[3000,"Go away!"]'));
    expect(await later.chunk()).toBe('');
  });

  test('[SOCKJS9] ends its session when it is cut off', async () => {
    const session = newSession(base);
    const response = await open(session);
    await response.chunk();
    await response.chunk();
    response.close();
    let frame = '';
    do {
      const next = await open(session);
      await next.chunk();
      frame = await next.chunk();
      // Until the server has seen that the first is gone, it is still open.
    } while (frame.includes('c[2010'));
    expect(frame).toBe(written('c[1002,"Connection interrupted"]'));
  });

  test('[SOCKJS18] sets the cookie where it is needed', async () => {
    const response = await open(newSession(`${url}/cookie_needed_echo`));
    expect(response.headers['set-cookie']).toBe('JSESSIONID=dummy; path=/; HttpOnly');
    response.close();
  });
});

describe('htmlfile', () => {
  test('[SOCKJS16] starts with more than a kibibyte, as some browsers wait for that', async () => {
    const response = await ask(`${newSession(base)}/htmlfile?c=callback`, 'GET');
    const prelude = await response.chunk();
    expect(prelude.length).toBeGreaterThan(1024);
    expect(prelude).not.toContain('%');
    response.close();
  });

  test.each([
    ['', '"callback" parameter required'],
    ['?c=', '"callback" parameter required'],
    ['?c=a%28alert%281%29%29', 'invalid "callback" parameter'],
    ['?c=%3C%2Fscript%3E', 'invalid "callback" parameter'],
    [`?c=${'a'.repeat(129)}`, 'invalid "callback" parameter'],
  ])('[SOCKJS16] needs the name of a function: %s', async (query, meaning) => {
    const session = newSession(base);
    const answer = await fetchWhole(`${session}/htmlfile${query}`);
    expect(answer.status).toBe(500);
    expect(answer.body).toContain(meaning);
    expect((await xhrSend(session, ['a'])).status).toBe(404);
  });

  test('[SOCKJS16] needs it whatever session it asks for', async () => {
    const session = newSession(base);
    await poll(session);
    expect((await fetchWhole(`${session}/htmlfile`)).status).toBe(500);
    expect((await fetchWhole(`${session}/htmlfile?c=callback`)).status).toBe(404);
  });
});
