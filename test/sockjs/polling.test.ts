// Sessions, by the transport that shows them best: each request brings what waits, or waits itself.
import { beforeAll, describe, expect, test } from 'vitest';
import { ask, fetchWhole, holdPoll, newSession, poll, startServices, xhrSend } from '../support/sockjs.ts';
import { RawHttp } from '../support/raw-http.ts';

const neverCached = 'no-store, no-cache, must-revalidate, max-age=0';
let url: string;
let base: string;

beforeAll(async () => {
  url = await startServices();
  base = `${url}/echo`;
});

describe('a session', () => {
  test('[SOCKJS6] opens with o, takes messages and brings them', async () => {
    const session = newSession(base);
    const opened = await poll(session);
    expect(opened).toMatchObject({ status: 200, body: 'o\n' });
    expect(opened.headers).toMatchObject({
      'content-type': 'application/javascript; charset=UTF-8',
      'cache-control': neverCached,
      'access-control-allow-origin': '*',
    });
    const sent = await xhrSend(session, ['x']);
    expect(sent.status).toBe(204);
    expect(sent.headers).toMatchObject({
      'content-type': 'text/plain; charset=UTF-8',
      'cache-control': neverCached,
      'access-control-allow-origin': '*',
    });
    expect(await poll(session)).toMatchObject({ status: 200, body: 'a["x"]\n' });
  });

  test('[SOCKJS6] brings all that waits in one frame, in its order', async () => {
    const session = newSession(base);
    await poll(session);
    await xhrSend(session, ['a', 'b']);
    await xhrSend(session, ['c']);
    expect((await poll(session)).body).toBe('a["a","b","c"]\n');
  });

  test('[SOCKJS6] that does not exist takes nothing', async () => {
    expect((await xhrSend(newSession(base), ['a'])).status).toBe(404);
  });

  test('[SOCKJS6] goes on by the transport it was opened with', async () => {
    const session = newSession(base);
    await poll(session);
    expect((await fetchWhole(`${session}/xhr_streaming`, 'POST')).status).toBe(404);
    expect((await fetchWhole(`${session}/eventsource`)).status).toBe(404);
  });

  test('[SOCKJS7] refuses a second request for frames, and the first one goes on', async () => {
    const session = newSession(base);
    await poll(session);
    const { held, refused } = await holdPoll(session);
    expect(refused).toBe('c[2010,"Another connection still open"]\n');
    await xhrSend(session, ['still here']);
    expect(await held.body()).toBe('a["still here"]\n');
  });

  test('[SOCKJS8] that was closed tells so to whoever asks', async () => {
    const session = newSession(`${url}/close`);
    expect((await poll(session)).body).toBe('o\n');
    for (let again = 0; again < 3; again += 1) {
      expect(await poll(session)).toMatchObject({ status: 200, body: 'c[3000,"Go away!"]\n' });
    }
    expect((await xhrSend(session, ['a'])).status).toBe(204);
  });

  test('[SOCKJS9] ends when a request for frames is cut off', async () => {
    const session = newSession(base);
    await poll(session);
    const { held } = await holdPoll(session);
    held.close();
    let { body } = await poll(session);
    while (body.startsWith('c[2010')) ({ body } = await poll(session));
    expect(body).toBe('c[1002,"Connection interrupted"]\n');
  });
});

describe('what is sent', () => {
  let session: string;

  beforeAll(async () => {
    session = newSession(base);
    await poll(session);
  });

  test.each([
    ['', 'Payload expected.'],
    ['["x', 'Broken JSON encoding.'],
    ['x', 'Broken JSON encoding.'],
    ['{}', 'Payload expected.'],
    ['"a"', 'Payload expected.'],
    ['null', 'Payload expected.'],
    ['[1]', 'Payload expected.'],
    ['["a",null]', 'Payload expected.'],
    ['["a",["b"]]', 'Payload expected.'],
    ['['.repeat(100_000), 'Broken JSON encoding.'],
  ])('[SOCKJS13] must be a list of strings, and is refused whole: %s', async (body, meaning) => {
    const answer = await xhrSend(session, body);
    expect(answer).toMatchObject({ status: 500, body: meaning });
    await xhrSend(session, ['good']);
    expect((await poll(session)).body).toBe('a["good"]\n');
  });

  test('[SOCKJS13] must be UTF-8', async () => {
    const body = Buffer.from([0x5b, 0x22, 0xff, 0x22, 0x5d]);
    const answer = await fetchWhole(`${session}/xhr_send`, 'POST', { body });
    expect(answer).toMatchObject({ status: 500, body: 'Broken JSON encoding.' });
  });

  test('[SOCKJS13] may call itself anything', async () => {
    const types = ['text/plain', 'T', 'application/json', 'application/xml', '', 'text/xml; charset=utf-8'];
    for (const type of types) {
      const answer = await xhrSend(session, ['a'], { headers: { 'content-type': type } });
      expect({ type, status: answer.status }).toEqual({ type, status: 204 });
    }
    expect((await poll(session)).body).toBe(`a[${types.map(() => '"a"').join(',')}]\n`);
  });

  test('[SOCKJS13] has a bound', async () => {
    const answer = await ask(`${session}/xhr_send`, 'POST', {
      body: JSON.stringify(['x'.repeat(1024 * 1024)]),
    });
    expect(answer.status).toBe(413);
    answer.close();
    await xhrSend(session, ['good']);
    expect((await poll(session)).body).toBe('a["good"]\n');
  });
});

describe('text', () => {
  /** All characters that fit, by their numbers. */
  const characters = (from: number, upto: number): string =>
    String.fromCharCode(...Array.from({ length: upto - from + 1 }, (_, index) => from + index));
  const asEscapes = (text: string): string =>
    text.replaceAll(/[^]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);

  async function echoed(body: string): Promise<string> {
    const session = newSession(base);
    await poll(session);
    expect((await xhrSend(session, body)).status).toBe(204);
    return (await poll(session)).body.slice(2, -2);
  }

  test('[SOCKJS20] what browsers change or can not take goes out escaped', async () => {
    const fragile = [
      [0x200c, 0x200f],
      [0x2028, 0x202f],
      [0x2060, 0x206f],
      [0xfff0, 0xffff],
    ].map(([from = 0, upto = 0]) => characters(from, upto));
    for (const text of fragile) expect(await echoed(JSON.stringify([text]))).toBe(`"${asEscapes(text)}"`);
  });

  test('[SOCKJS20] what comes in escaped is what it stands for, and comes back the same', async () => {
    for (let from = 0; from < 0xd800; from += 0x800) {
      const text = characters(from, from + 0x7ff);
      expect(JSON.parse(await echoed(`["${asEscapes(text)}"]`))).toBe(text);
    }
  });

  test('[SOCKJS20] half a surrogate pair comes back too', async () => {
    expect(await echoed(String.raw`["\ud800 \udfff 😀"]`)).toBe(String.raw`"\ud800 \udfff \ud83d\ude00"`);
  });
});

describe('one connection', () => {
  test('[SOCKJS25] carries one request after another', async () => {
    const connection = new RawHttp(url);
    const path = new URL(newSession(base)).pathname;
    const ended: string[] = [];
    for (const [method, place] of [
      ['GET', '/echo'],
      ['OPTIONS', '/echo/info'],
      ['GET', '/echo/info'],
      ['HEAD', '/echo'],
      ['POST', `${path}/websocket`],
      ['POST', `${path}/xhr`],
    ] as const) {
      const response = await connection.ask(method, place);
      ended.push(`${response.status} ${method === 'HEAD' ? '' : (await response.body()).length}`);
    }
    const sent = await connection.ask('POST', `${path}/xhr_send`, { body: '["a"]' });
    ended.push(`${sent.status}`);
    ended.push(await (await connection.ask('POST', `${path}/xhr`)).body());
    expect(ended).toEqual([
      '200 19',
      '204 0',
      expect.stringMatching(/^200 /),
      '200 ',
      '405 0',
      '200 2',
      '204',
      'a["a"]\n',
    ]);
    connection.close();
  });
});
