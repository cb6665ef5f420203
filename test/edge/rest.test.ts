// Requests as commands, without HTTP.
import { afterEach, beforeEach, expect, test } from 'vitest';
import { receive, type RestRequest } from '../../src/edge/rest.ts';
import { kinds } from '../support/edge-kinds.ts';
import { FakeHttp } from '../support/fake-http.ts';
import { InProcessNode } from '../support/in-process-node.ts';

let node: InProcessNode;

beforeEach(() => {
  node = new InProcessNode({ kinds, shards: 2 });
});

afterEach(() => {
  expect(node.misuses).toEqual([]);
  node.close();
});

const json = { contentType: 'application/json' };
const ndjson = { contentType: 'application/x-ndjson; charset=utf-8' };

/** A request whose body the test sends. */
function begin(method: string, path: string, more: Partial<RestRequest> & { token?: string } = {}) {
  const { token = 'alice', ...request } = more;
  const http = new FakeHttp();
  const [pathOnly = '', query = ''] = path.split('?');
  const reader = receive(
    node.edges[0] as never,
    {
      method,
      path: pathOnly,
      query,
      authorization: `Bearer ${token}`,
      idempotencyKey: undefined,
      contentType: '',
      contentLength: null,
      ...request,
    },
    http,
  );
  return { http, reader };
}

async function ask(
  method: string,
  path: string,
  body = '',
  more: Partial<RestRequest> & { token?: string } = {},
): Promise<{ status: number; body: unknown }> {
  const { http, reader } = begin(method, path, more);
  reader.push(Buffer.from(body), true);
  await node.settle();
  return http.answer();
}

const taken = async (): Promise<unknown> => (await ask('GET', '/api/lines')).body;

test('[REST1] a door that asks each name of a list answers with a list, or with the first refusal', async () => {
  expect(await ask('GET', '/api/boards?names=b,a,b%2Fc,,a')).toEqual({
    status: 200,
    body: [
      { id: 'b', names: 'b' },
      { id: 'a', names: 'a' },
      { id: 'b/c', names: 'b/c' },
    ],
  });
  expect(await ask('GET', '/api/boards?names=a,secret')).toMatchObject({
    status: 403,
    body: { code: 'FORBIDDEN', board: 'secret' },
  });
  for (const query of ['', '?names=', '?name=a', `?names=${'x'.repeat(37)}`]) {
    expect(await ask('GET', `/api/boards${query}`)).toMatchObject({
      status: 400,
      body: { code: 'BAD_REQUEST' },
    });
  }
});

test('[REST2] an id is that of the body, where it has one that can be one; else it is a new one', async () => {
  expect(await ask('POST', '/api/boards', '{"boardId":"b-7"}')).toEqual({ status: 201, body: 'b-7' });
  const others = [
    '',
    '[]',
    'null',
    '{}',
    '{"boardId":7}',
    '{"boardId":""}',
    '{"boardId":"a/b"}',
    '{"boardId":"a\\u0000"}',
  ];
  const ids = new Set<unknown>();
  for (const body of [...others, `{"boardId":"${'x'.repeat(37)}"}`, '{"__proto__":{"boardId":"x"}}']) {
    const { body: id } = await ask('POST', '/api/boards', body);
    expect(id).toMatch(/^[\da-f-]{36}$/);
    ids.add(id);
  }
  expect(ids.size).toBe(others.length + 2);
});

test('[REST3] a repeat with the same Idempotency-Key finds what was made, another user or key does not', async () => {
  const make = async (idempotencyKey: string, token = 'alice'): Promise<unknown> =>
    (await ask('POST', '/api/made', '', { idempotencyKey, token })).body;
  const first = await make('k');
  expect(first).toMatch(/^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/);
  expect(await make('k')).toBe(first);
  const others = [await make('l'), await make('k', 'bob'), (await ask('POST', '/api/made')).body];
  expect(new Set([first, ...others]).size).toBe(4);
});

test('[REST3] a key of none or more than 255 characters, or with NUL, is BAD_REQUEST', async () => {
  for (const idempotencyKey of ['', 'k'.repeat(256), 'a\0b']) {
    expect(await ask('POST', '/api/made', '', { idempotencyKey })).toMatchObject({ status: 400 });
  }
  expect(await ask('POST', '/api/made', '', { idempotencyKey: 'k'.repeat(255) })).toMatchObject({
    status: 200,
  });
});

test('[REST4] each door has its own bound of the body', async () => {
  expect(await ask('POST', '/api/made', 'x'.repeat(10))).toMatchObject({ status: 200 });
  expect(await ask('POST', '/api/made', 'x'.repeat(11))).toMatchObject({
    status: 413,
    body: { code: 'TOO_LARGE', message: 'A body has at most 10 bytes.' },
  });
  expect(await ask('POST', '/api/boards', 'x'.repeat(1024 * 1024))).toMatchObject({ status: 201 });
  expect(await ask('POST', '/api/boards', 'x'.repeat(1024 * 1024 + 1))).toMatchObject({ status: 413 });
});

test('[REST4] a body that is too large is answered at its end, and cut off when it goes on for long', () => {
  for (const [pieces, closes] of [
    [2, false],
    [30, true],
  ] as const) {
    const { http, reader } = begin('POST', '/api/boards');
    const piece = Buffer.alloc(1024 * 1024);
    for (let index = 1; index < pieces && !http.answered; index += 1) reader.push(piece, false);
    if (!http.answered) reader.push(piece, true);
    expect(http.answer().status).toBe(413);
    expect(http.closes).toBe(closes);
  }
});

test('[REST5] lines are applied in order, however they come; empty ones are skipped', async () => {
  const { http, reader } = begin('POST', '/api/lines', { ...ndjson, token: 'feed+service' });
  for (const piece of ['1', '2\n', '\r\n  \n3\r', '\n4', '']) {
    reader.push(Buffer.from(piece), false);
    await node.settle();
  }
  expect(await taken()).toEqual([12, 3]);
  reader.push(Buffer.alloc(0), true);
  await node.settle();
  expect(http.answer()).toEqual({ status: 200, body: { applied: 3 } });
  expect(await taken()).toEqual([12, 3, 4]);
});

test('[REST5] a list of JSON is one command at the same door', async () => {
  const more = { ...json, token: 'feed+service' };
  expect(await ask('POST', '/api/lines', '[1,2]', more)).toEqual({ status: 200, body: { applied: 2 } });
  expect(await ask('POST', '/api/lines', '[1,2000]', more)).toMatchObject({ status: 400 });
  // And lines are none where a door does not take them.
  expect(await ask('POST', '/api/made', '1\n2', ndjson)).toMatchObject({ status: 200 });
});

test('[REST5] many lines go list by list, while the client waits', async () => {
  const { http, reader } = begin('POST', '/api/lines', { ...ndjson, token: 'feed+service' });
  const numbers = Array.from({ length: 50_000 }, (_, index) => index % 1_000);
  const whole = Buffer.from(numbers.join('\n'));
  for (let at = 0; at < whole.length; at += 100_000) {
    reader.push(whole.subarray(at, at + 100_000), at + 100_000 >= whole.length);
    expect(http.isPaused).toBe(true);
    await node.settle();
  }
  expect(http.answer()).toEqual({ status: 200, body: { applied: 50_000 } });
  expect(await taken()).toEqual(numbers);
});

test('[REST6] the first bad line ends it: those before it are applied, those after it are not', async () => {
  for (const [path, wrap, bads] of [
    [
      '/api/lines',
      (n: number) => `${n}`,
      ['1000', '"x"', '{', '1,2', ']', '1]\n[2', `"${'x'.repeat(65_536)}"`],
    ],
    [
      '/api/objects',
      (n: number) => `{"n":${n}}`,
      ['{"n":"x"}', '{"n":1},{"n":2}', '"\\ud800"', '{"n":1', '\u00ff'],
    ],
  ] as const) {
    for (const bad of bads) {
      const before = (await taken()) as number[];
      const body = [wrap(1), '', wrap(2), wrap(3), bad, wrap(4), wrap(5)].join('\n');
      const answer = await ask('POST', path, body, { ...ndjson, token: 'feed+service' });
      expect(answer, bad).toMatchObject({ status: 400, body: { code: 'BAD_REQUEST', line: 5, applied: 3 } });
      expect(await taken()).toEqual([...before, 1, 2, 3]);
    }
  }
});

test('[REST6] a line that is no UTF-8 is a bad one', async () => {
  const { http, reader } = begin('POST', '/api/objects', ndjson);
  reader.push(
    Buffer.concat([Buffer.from('{"n":1}\n"'), Buffer.from([0xff]), Buffer.from('"\n{"n":2}')]),
    true,
  );
  await node.settle();
  expect(http.answer().body).toMatchObject({ code: 'BAD_REQUEST', line: 2, applied: 1 });
});

test('[REST6] wherever the bad line is, and however many lists came before it', async () => {
  for (const [count, at] of [
    [1, 0],
    [2, 1],
    [7, 3],
    [40_000, 39_990],
    [40_000, 20_000],
  ] as const) {
    for (const path of ['/api/lines', '/api/objects']) {
      const before = ((await taken()) as number[]).length;
      const good = path === '/api/lines' ? '1' : '{"n":1}';
      const lines = Array.from({ length: count }, (_, index) => (index === at ? '"bad"' : good));
      const answer = await ask('POST', path, lines.join('\n'), { ...ndjson, token: 'feed+service' });
      expect(answer.body, `${count} ${path}`).toMatchObject({ line: at + 1, applied: at });
      expect(((await taken()) as number[]).length - before).toBe(at);
    }
  }
});

test('[REST7] who may not send any is told so at the first list, also when there is none', async () => {
  for (const body of ['1\n2\n', '', '\n\n']) {
    const answer = await ask('POST', '/api/lines', body, ndjson);
    expect(answer).toMatchObject({ status: 403, body: { code: 'FORBIDDEN', applied: 0 } });
  }
  expect(await ask('POST', '/api/lines', '1', { ...ndjson, token: 'bad' })).toMatchObject({ status: 401 });
  expect(await ask('POST', '/api/lines', '', { ...ndjson, token: 'feed+service' })).toEqual({
    status: 200,
    body: { applied: 0 },
  });
  const keyed = { ...ndjson, token: 'feed+service', idempotencyKey: 'k' };
  expect(await ask('POST', '/api/lines', '1', keyed)).toMatchObject({ status: 400 });
  expect(await taken()).toEqual([]);
});

test('[REST7] what is announced too long is 413 and nothing of it is applied', async () => {
  const more = { ...ndjson, token: 'feed+service', contentLength: 1_000_001 };
  const { http, reader } = begin('POST', '/api/lines', more);
  const piece = Buffer.from('1\n'.repeat(250_001));
  reader.push(piece, false);
  await node.settle();
  expect(http.answered).toBe(false);
  reader.push(piece, true);
  expect(http.answer()).toMatchObject({ status: 413 });
  await node.settle();
  expect(await taken()).toEqual([]);
});

test('[REST7] a client that goes in the middle, or a shard that does, ends it', async () => {
  const gone = begin('POST', '/api/lines', { ...ndjson, token: 'feed+service' });
  gone.reader.push(Buffer.from('1\n2\n'), false);
  gone.reader.abort();
  await node.settle();
  expect(await taken()).toEqual([]);
  const lost = begin('POST', '/api/lines', { ...ndjson, token: 'feed+service' });
  lost.reader.push(Buffer.from('3\n'), false);
  await node.settle();
  expect(await taken()).toEqual([3]);
  for (const shard of [0, 1]) node.killShard(shard);
  await node.settle();
  lost.reader.push(Buffer.from('4\n5\n'), false);
  await node.settle();
  expect(lost.http.answer()).toMatchObject({ status: 503, body: { code: 'UNAVAILABLE', applied: 1 } });
  lost.reader.push(Buffer.from('6\n'), true);
});
