// What lies where below a base, and who may ask how.
import { beforeAll, describe, expect, test } from 'vitest';
import { fetchWhole, newSession, poll, startServices, xhrSend, type Answer } from '../support/sockjs.ts';

const neverCached = 'no-store, no-cache, must-revalidate, max-age=0';
let url: string;
let base: string;

beforeAll(async () => {
  url = await startServices();
  base = `${url}/echo`;
});

function expectCrossOrigin({ headers }: Answer, origin = '*'): void {
  expect(headers).toMatchObject({
    'access-control-allow-origin': origin,
    'access-control-allow-credentials': 'true',
  });
}

function expectCachedForAYear({ headers }: Answer): void {
  expect(headers['cache-control']).toBe('public, max-age=31536000');
  expect(Date.parse(headers['expires'] ?? '')).toBeGreaterThan(Date.now() + 360 * 86_400_000);
  expect(headers).not.toHaveProperty('last-modified');
}

describe('what needs no session', () => {
  test('[SOCKJS1] the base greets, with and without a slash', async () => {
    for (const path of ['', '/']) {
      const { status, headers, body } = await fetchWhole(base + path);
      expect({ status, body }).toEqual({ status: 200, body: 'Welcome to SockJS!\n' });
      expect(headers['content-type']).toBe('text/plain; charset=UTF-8');
      expect(headers).not.toHaveProperty('set-cookie');
    }
  });

  test.each([
    '/a',
    '/a.html',
    '//',
    '///',
    '/a/a',
    '/a/a/',
    '/a/',
    '/a/a/jsonp',
    '/a/a/jsonp_send',
    '/a/a/a',
  ])('[SOCKJS1] [SOCKJS4] there is nothing at %s', async (path) => {
    expect((await fetchWhole(base + path)).status).toBe(404);
    expect((await fetchWhole(base + path, 'POST')).status).toBe(404);
  });

  test.each([
    '/iframe.html',
    '/iframe-a.html',
    '/iframe-.html',
    '/iframe-0.1.2.html',
    '/iframe-0.1.2abc-dirty.2144.html',
    '/iframe-a.html?t=1234',
  ])('[SOCKJS2] %s is the page for frames, which may be kept for a year', async (path) => {
    const answer = await fetchWhole(base + path);
    expect(answer.status).toBe(200);
    expect(answer.headers['content-type']).toBe('text/html; charset=UTF-8');
    expectCachedForAYear(answer);
    expect(answer.headers).not.toHaveProperty('set-cookie');
    expect(answer.body).toMatch(/^<!DOCTYPE html>\n<html>\n<head>\n/);
    expect(answer.body).toMatch(
      /<script src="https:\/\/[^"]+\/sockjs-client@[\d.]+\/dist\/sockjs\.min\.js"><\/script>/,
    );
    expect(answer.body).toContain('_sockjs_onload = function(){SockJS.bootstrap_iframe();};');
  });

  test('[SOCKJS2] whoever has it is told that it is the same', async () => {
    const { etag = '' } = (await fetchWhole(`${base}/iframe.html`)).headers;
    expect(etag).toMatch(/^"\w+"$/);
    expect((await fetchWhole(`${base}/iframe-1.html`)).headers['etag']).toBe(etag);
    const again = await fetchWhole(`${base}/iframe.html`, 'GET', { headers: { 'if-none-match': etag } });
    expect(again.status).toBe(304);
    expect(again.headers).not.toHaveProperty('content-type');
    const other = await fetchWhole(`${base}/iframe.html`, 'GET', { headers: { 'if-none-match': '"other"' } });
    expect(other.status).toBe(200);
  });

  test.each([
    '/iframe.htm',
    '/iframe',
    '/IFRAME.HTML',
    '/IFRAME',
    '/iframe.HTML',
    '/iframe.xml',
    '/iframe-/.html',
  ])('[SOCKJS2] %s is no page', async (path) => {
    expect((await fetchWhole(base + path)).status).toBe(404);
  });

  test('[SOCKJS3] the info says what clients decide by, and nobody keeps it', async () => {
    const answer = await fetchWhole(`${base}/info`);
    expect(answer.status).toBe(200);
    expect(answer.headers['content-type']).toBe('application/json; charset=UTF-8');
    expect(answer.headers['cache-control']).toBe(neverCached);
    expect(answer.headers).not.toHaveProperty('set-cookie');
    expectCrossOrigin(answer);
    const info = JSON.parse(answer.body) as { entropy: number };
    expect(info).toEqual({
      entropy: expect.any(Number),
      origins: ['*:*'],
      cookie_needed: false,
      websocket: true,
    });
    expect(Number.isInteger(info.entropy) && info.entropy >= 0 && info.entropy < 2 ** 32).toBe(true);
    const other = JSON.parse((await fetchWhole(`${base}/info`)).body) as { entropy: number };
    expect(other.entropy).not.toBe(info.entropy);
  });

  test('[SOCKJS3] the info says where there is no WebSocket, and where cookies are needed', async () => {
    const off = await fetchWhole(`${url}/disabled_websocket_echo/info`);
    expect(JSON.parse(off.body)).toMatchObject({ websocket: false });
    const cookies = await fetchWhole(`${url}/cookie_needed_echo/info`);
    expect(JSON.parse(cookies.body)).toMatchObject({ cookie_needed: true });
    expect(cookies.headers).not.toHaveProperty('set-cookie');
  });

  test('[SOCKJS3] where there is no WebSocket there is nothing at its paths', async () => {
    for (const path of ['/websocket', '/0/0/websocket']) {
      expect((await fetchWhole(`${url}/disabled_websocket_echo${path}`)).status).toBe(404);
    }
  });
});

describe('the paths of sessions', () => {
  test.each(['/a/a', '/_/_', '/1/1', '/abcdefgh_i-j%20/abcdefg_i-j%20'])(
    '[SOCKJS4] %s may be a server and a session',
    async (path) => {
      expect(await poll(`${base}${path}`)).toMatchObject({ status: 200, body: 'o\n' });
    },
  );

  test.each(['//', '/a./a', '/a/a.', '/./.', '/', '///', '/a;b/a', '/a/a;b', `/a/${'a'.repeat(256)}`])(
    '[SOCKJS4] %s may not',
    async (path) => {
      expect((await fetchWhole(`${base}${path}/xhr`)).status).toBe(404);
      expect((await fetchWhole(`${base}${path}/xhr`, 'POST')).status).toBe(404);
    },
  );

  test('[SOCKJS4] the name of the server means nothing', async () => {
    const session = newSession(base);
    const elsewhere = session.replace('/000/', '/999/');
    expect((await poll(session)).body).toBe('o\n');
    expect((await xhrSend(session, ['a'])).status).toBe(204);
    expect((await poll(elsewhere)).body).toBe('a["a"]\n');
  });

  test.each([
    ['xhr', 'GET', 'OPTIONS, POST'],
    ['xhr_send', 'GET', 'OPTIONS, POST'],
    ['xhr_streaming', 'PUT', 'OPTIONS, POST'],
    ['eventsource', 'POST', 'OPTIONS, GET'],
    ['htmlfile', 'DELETE', 'OPTIONS, GET'],
    ['websocket', 'POST', 'GET'],
    ['websocket', 'OPTIONS', 'GET'],
  ])('[SOCKJS5] %s may not be asked by %s', async (transport, method, allow) => {
    const { status, headers, body } = await fetchWhole(`${newSession(base)}/${transport}`, method);
    expect({ status, body, allow: headers['allow'] }).toEqual({ status: 405, body: '', allow });
    expect(headers).not.toHaveProperty('content-type');
  });

  test.each([
    ['/info', 'GET'],
    ['/abc/abc/xhr', 'POST'],
    ['/abc/abc/xhr_send', 'POST'],
    ['/abc/abc/xhr_streaming', 'POST'],
    ['/abc/abc/eventsource', 'GET'],
    ['/abc/abc/htmlfile', 'GET'],
  ])('[SOCKJS5] the preflight of %s may be kept for a year', async (path, method) => {
    for (const [origin, allowed] of [
      [null, '*'],
      ['test', 'test'],
      ['null', '*'],
    ] as const) {
      const headers: Record<string, string> = origin === null ? {} : { origin };
      const answer = await fetchWhole(base + path, 'OPTIONS', { headers });
      expect(answer.status).toBe(204);
      expectCachedForAYear(answer);
      expectCrossOrigin(answer, allowed);
      expect(answer.headers).toMatchObject({
        'access-control-max-age': '31536000',
        'access-control-allow-methods': `OPTIONS, ${method}`,
      });
    }
  });

  test('[SOCKJS5] headers that a page wants to send are allowed by name', async () => {
    for (const asked of ['a, b, c', '', null]) {
      const headers: Record<string, string> =
        asked === null ? {} : { 'access-control-request-headers': asked };
      const answer = await poll(newSession(base), { headers });
      expectCrossOrigin(answer);
      expect(answer.headers['access-control-allow-headers']).toBe(asked || undefined);
    }
  });
});

describe('cookies', () => {
  const cookie = ({ headers }: Answer): string | undefined => headers['set-cookie'];

  test('[SOCKJS18] where they are needed each transport sets one for its balancer', async () => {
    const answer = await poll(newSession(`${url}/cookie_needed_echo`));
    expect(answer.body).toBe('o\n');
    expect(cookie(answer)).toBe('JSESSIONID=dummy; path=/; HttpOnly');
  });

  test('[SOCKJS18] one that is shown comes back', async () => {
    const headers = { cookie: 'a=b; JSESSIONID=abcdef; c=d' };
    const answer = await poll(newSession(`${url}/cookie_needed_echo`), { headers });
    expect(cookie(answer)).toBe('JSESSIONID=abcdef; path=/; HttpOnly');
  });

  test('[SOCKJS18] a session that was opened with one is nobody else’s', async () => {
    const session = newSession(`${url}/cookie_needed_echo`);
    const headers = { cookie: 'JSESSIONID=mine' };
    await poll(session, { headers });
    expect((await xhrSend(session, ['a'])).status).toBe(404);
    expect((await xhrSend(session, ['a'], { headers: { cookie: 'JSESSIONID=yours' } })).status).toBe(404);
    expect((await poll(session)).status).toBe(404);
    expect((await xhrSend(session, ['a'], { headers })).status).toBe(204);
    expect((await poll(session, { headers })).body).toBe('a["a"]\n');
  });

  test('[SOCKJS18] elsewhere there are none', async () => {
    const answer = await poll(newSession(base), { headers: { cookie: 'JSESSIONID=abcdef' } });
    expect(cookie(answer)).toBeUndefined();
  });
});
