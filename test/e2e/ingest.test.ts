// Bodies of JSON lines over real connections: what the transport does with a body that is held back, answered before
// its end, or cut.
import { Agent, request, type IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import { once } from 'node:events';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startServer, type TestServer } from '../support/server.ts';

let server: TestServer;
// One connection for all: each answer must leave it fit for the next.
const agent = new Agent({ keepAlive: true, maxSockets: 1 });

beforeAll(async () => {
  const kindsUrl = new URL('../support/edge-kinds.js', import.meta.url).href;
  server = await startServer({ kindsUrl });
});

afterAll(() => agent.destroy());

/** POSTs pieces as fast as the connection takes them; without a length they go in chunks. */
async function post(
  path: string,
  pieces: readonly string[],
  headers: Readonly<Record<string, string>> = {},
): Promise<{ status: number | undefined; body: unknown }> {
  const authorization = `Bearer ${await server.token('feed', ['service'])}`;
  const all = { authorization, 'content-type': 'application/x-ndjson', ...headers };
  const sending = request(`${server.url}${path}`, { method: 'POST', agent, headers: all });
  const answered = once(sending, 'response');
  for (const piece of pieces) if (!sending.write(piece)) await once(sending, 'drain');
  sending.end();
  const [response] = (await answered) as [IncomingMessage];
  let text = '';
  for await (const chunk of response) text += String(chunk);
  return { status: response.statusCode, body: JSON.parse(text) };
}

async function taken(): Promise<number[]> {
  return (await server.rest('GET', '/api/lines', { user: 'feed' })).body as number[];
}

test('[REST5] a body of megabytes in chunks is applied whole, in order, as fast as it is taken', async () => {
  const before = await taken();
  const numbers = Array.from({ length: 500_000 }, (_, index) => index % 1_000);
  const whole = `${numbers.join('\n')}\n`;
  const pieces = whole.match(/[^]{1,70001}/g) ?? [];
  expect(await post('/api/lines', pieces)).toEqual({ status: 200, body: { applied: 500_000 } });
  const after = await taken();
  expect(after.length - before.length).toBe(500_000);
  expect(after.slice(before.length).every((one, index) => one === numbers[index])).toBe(true);
});

test('[REST6] a bad line is told while the client still sends; the connection goes on after that', async () => {
  const before = (await taken()).length;
  const rest = Array.from({ length: 20 }, () => '1\n'.repeat(50_000));
  expect(await post('/api/lines', ['1\n2\nbad\n', ...rest])).toMatchObject({
    status: 400,
    body: { code: 'BAD_REQUEST', line: 3, applied: 2 },
  });
  expect(await post('/api/lines', ['3\n'])).toEqual({ status: 200, body: { applied: 1 } });
  expect((await taken()).slice(before)).toEqual([1, 2, 3]);
});

test('[REST7] a client that goes in the middle of a line ends its stream and nothing else', async () => {
  const before = (await taken()).length;
  const socket = connect(Number(new URL(server.url).port), '127.0.0.1');
  const head = `POST /api/lines HTTP/1.1\r\nhost: a\r\nauthorization: Bearer ${await server.token('feed', ['service'])}`;
  socket.write(
    `${head}\r\ncontent-type: application/jsonl\r\ntransfer-encoding: chunked\r\n\r\n6\r\n7\n8\n12\r\n`,
  );
  while ((await taken()).length < before + 2) await new Promise(setImmediate);
  socket.destroy();
  expect(await post('/api/lines', ['9'])).toEqual({ status: 200, body: { applied: 1 } });
  expect((await taken()).slice(before)).toEqual([7, 8, 9]);
});

test('[REST7] a length over the bound of the door is 413, and nothing of it is applied', async () => {
  const before = await taken();
  const whole = '1\n'.repeat(500_001);
  const answer = await server.rest('POST', '/api/lines', {
    user: 'feed',
    roles: ['service'],
    headers: { 'content-type': 'application/ndjson' },
    body: whole,
  });
  expect(answer).toMatchObject({ status: 413, body: { code: 'TOO_LARGE' } });
  expect(await taken()).toEqual(before);
});

test('[REST3] an Idempotency-Key goes with a request, and an empty one is none that counts', async () => {
  const make = async (key: string): Promise<unknown> =>
    (await post('/api/made', ['x'], { 'idempotency-key': key })).body;
  const made = await make('k');
  expect(await make('k')).toBe(made);
  expect(await make('l')).not.toBe(made);
  expect(await make('')).toMatchObject({ code: 'BAD_REQUEST' });
});
