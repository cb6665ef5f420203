// HTTP: probes, and what is wrong with a request.
import { once } from 'node:events';
import { connect } from 'node:net';
import { beforeAll, describe, expect, test } from 'vitest';
import { startServer, type LogLine, type TestServer } from '../support/server.ts';
import { connectStomp } from '../support/stomp.ts';

const listedOrigin = 'https://app.example.org';
let server: TestServer;

beforeAll(async () => {
  server = await startServer({ settings: { origins: listedOrigin } });
});

/** Sends bytes over a plain connection; resolves with all that came until the server closed it. */
function sendBytes(bytes: string | Uint8Array): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(Number(new URL(server.url).port), '127.0.0.1', () => socket.write(bytes));
    let text = '';
    socket.on('data', (chunk) => (text += chunk.toString()));
    socket.once('close', () => resolve(text));
    socket.once('error', reject);
  });
}

test('[DOCS6] the address of the server leads to the page that describes it', async () => {
  const { status, headers } = await fetch(server.url, { redirect: 'manual' });
  expect([status, headers.get('location')]).toEqual([302, '/docs']);
});

test('[CONN15] the log names an origin that is refused once, and the flag that would let it in', async () => {
  const refuse = (origin: string): Promise<unknown> =>
    Promise.all(['/ws/info', '/api/rooms'].map((path) => fetch(server.url + path, { headers: { origin } })));
  await refuse('https://one.example.net');
  await refuse('https://other.example.net');
  const isOf = (origin: string) => (line: LogLine) => line['origin'] === origin;
  const { msg } = await server.logged(isOf('https://other.example.net'));
  expect(msg).toContain('--origin');
  const lines = server.log.filter(isOf('https://one.example.net'));
  expect(lines).toHaveLength(new Set(lines.map(({ thread }) => thread)).size);
});

describe('probes', () => {
  test('[HTTP1] /healthz and /readyz answer without a token, with JSON that nobody may cache', async () => {
    for (const path of ['/healthz', '/readyz', '/healthz?a=b']) {
      const { status, headers } = await server.rest('GET', path);
      expect({ path, status }).toEqual({ path, status: 200 });
      expect(headers.get('content-type')).toBe('application/json');
      expect(headers.get('cache-control')).toBe('no-store');
    }
  });
});

describe('one connection', () => {
  /** Sends requests one after another over one connection; resolves with what came for each. */
  async function converse(requests: readonly string[]): Promise<string[]> {
    const socket = connect(Number(new URL(server.url).port), '127.0.0.1');
    const closed = once(socket, 'close').then(() => ['closed']);
    const answers: string[] = [];
    for (const request of requests) {
      socket.write(`${request} HTTP/1.1\r\nhost: a\r\n\r\n`);
      const [chunk] = (await Promise.race([once(socket, 'data'), closed])) as [Buffer | string];
      answers.push(chunk.toString());
    }
    socket.destroy();
    return answers;
  }

  test('[HTTP8] serves one request after another, also after answers without a body', async () => {
    const requests = [
      'OPTIONS /api/rooms',
      'HEAD /healthz',
      'HEAD /api/nothing',
      'HEAD /api/rooms',
      'GET /healthz',
    ];
    const answers = await converse(requests);
    expect(answers.map((text) => text.slice(9, 12))).toEqual(['204', '200', '404', '401', '200']);
    const lengths = answers.map((text) => text.match(/content-length: (\d+)/gi));
    // Each once, the one of HEAD as GET would have it, and none where there can't be a body.
    expect(lengths.map((found) => found?.length ?? 0)).toEqual([0, 1, 1, 1, 1]);
    expect(lengths[1]?.[0]?.toLowerCase()).toBe(lengths[4]?.[0]?.toLowerCase());
    expect(answers.map((text) => text.split('\r\n\r\n')[1])).toEqual(['', '', '', '', '{"status":"alive"}']);
  });
});

describe('errors', () => {
  test.each([
    ['an unknown path', 'GET', '/api/nothing', 404, 'NOT_FOUND'],
    ['no path', 'POST', '/', 405, 'BAD_REQUEST'],
    ['a path that climbs', 'GET', '/api/../../etc/passwd', 404, 'NOT_FOUND'],
    ['a wrong method', 'DELETE', '/api/rooms', 405, 'BAD_REQUEST'],
    ['a room that is not there', 'GET', '/api/rooms/nowhere', 404, 'NOT_FOUND'],
  ])('[HTTP2] %s: %s %s is %i', async (_name, method, path, status, code) => {
    const answer = await server.rest(method, path, { user: 'alice' });
    expect(answer.status).toBe(status);
    expect(answer.body).toEqual(
      expect.objectContaining({ code, message: expect.stringMatching(/\w/) as unknown }),
    );
  });

  test('[HTTP2] a 405 names the methods there are', async () => {
    const { headers } = await server.rest('PUT', '/api/rooms', { user: 'alice' });
    expect(headers.get('allow')?.split(', ').toSorted()).toEqual(['GET', 'POST']);
  });

  test.each(['/healthz', '/readyz', '/metrics', '/openapi.json', '/docs'])(
    '[HTTP2] %s, which is there for everybody, is no other for its wrong methods',
    async (path) => {
      for (const method of ['POST', 'DELETE']) {
        const answer = await server.rest(method, path);
        expect(answer).toMatchObject({ status: 405, body: { code: 'BAD_REQUEST' } });
        expect(answer.headers.get('allow')).toBe('GET');
      }
    },
  );

  test.each([
    ['none', undefined],
    ['no Bearer', 'Basic YTpi'],
    ['garbage', 'Bearer garbage'],
    ['nothing after Bearer', 'Bearer '],
  ])(
    '[HTTP3] a token that is not good (%s) is 401, and the command does not happen',
    async (_name, authorization) => {
      const headers: Record<string, string> = authorization === undefined ? {} : { authorization };
      const body = { name: 'a', isPrivate: false };
      const answer = await server.rest('POST', '/api/rooms', { headers, body });
      expect(answer).toMatchObject({ status: 401, body: { code: 'UNAUTHORIZED' } });
      const rooms = await server.rest('GET', '/api/rooms', { user: 'nobody' });
      expect(rooms).toMatchObject({ status: 200, body: [] });
    },
  );

  test('[HTTP3] an expired token is 401', async () => {
    const headers = { authorization: `Bearer ${await server.token('alice', [], -1_000)}` };
    expect(await server.rest('GET', '/api/rooms', { headers })).toMatchObject({
      status: 401,
      body: { code: 'UNAUTHORIZED', message: expect.stringMatching(/expired/) as unknown },
    });
  });

  test.each([
    ['no JSON', '{"name":', 400],
    ['no UTF-8', Buffer.from([0x22, 0xff, 0x22]), 400],
    ['nothing', '', 400],
    ['another shape', '[]', 400],
    ['a field of another type', '{"name":7,"isPrivate":false}', 400],
  ])('[HTTP4] a body that is %s is 400', async (_name, body, status) => {
    const answer = await server.rest('POST', '/api/rooms', { user: 'alice', body });
    expect(answer).toMatchObject({ status, body: { code: 'BAD_REQUEST' } });
  });

  test('[HTTP5] a body over 1 MiB is 413, announced or not; one below is read', async () => {
    const room = (bytes: number): string => JSON.stringify({ name: 'x'.repeat(bytes), isPrivate: false });
    const big = await server.rest('POST', '/api/rooms', { user: 'alice', body: room(1024 * 1024) });
    expect(big).toMatchObject({ status: 413, body: { code: 'TOO_LARGE' } });
    const token = await server.token('alice');
    const pieces = new ReadableStream({
      start(controller) {
        for (let index = 0; index < 40; index += 1) controller.enqueue(Buffer.alloc(64 * 1024, 'x'));
        controller.close();
      },
    });
    const streamed = await fetch(`${server.url}/api/rooms`, {
      method: 'POST',
      body: pieces,
      headers: { authorization: `Bearer ${token}` },
      duplex: 'half',
    });
    expect(streamed.status).toBe(413);
    const small = await server.rest('POST', '/api/rooms', { user: 'alice', body: room(1000 * 1024) });
    expect(small).toMatchObject({ status: 400, body: { code: 'BAD_REQUEST' } });
  });
});

describe('pages of other origins', () => {
  test('[HTTP6] a page of a listed origin may read answers and errors; another may not', async () => {
    for (const path of ['/healthz', '/api/rooms', '/api/nothing']) {
      const listed = await server.rest('GET', path, { headers: { origin: listedOrigin } });
      expect(listed.headers.get('access-control-allow-origin')).toBe(listedOrigin);
      expect(listed.headers.get('vary')).toMatch(/origin/i);
      const other = await server.rest('GET', path, { headers: { origin: 'https://evil.example.org' } });
      expect(other.headers.get('access-control-allow-origin')).toBeNull();
      const none = await server.rest('GET', path);
      expect(none.headers.get('access-control-allow-origin')).toBeNull();
    }
  });

  test('[HTTP6] the preflight of a listed origin is answered, without a token', async () => {
    const preflight = {
      'access-control-request-method': 'POST',
      'access-control-request-headers': 'authorization',
    };
    const answer = await server.rest('OPTIONS', '/api/rooms', {
      headers: { origin: listedOrigin, ...preflight },
    });
    expect(answer.status).toBe(204);
    expect(answer.headers.get('access-control-allow-origin')).toBe(listedOrigin);
    expect(answer.headers.get('access-control-allow-methods')).toContain('POST');
    expect(answer.headers.get('access-control-allow-headers')).toMatch(/authorization.*content-type/);
    const other = await server.rest('OPTIONS', '/api/rooms', {
      headers: { origin: 'https://evil.example.org', ...preflight },
    });
    expect(other.headers.get('access-control-allow-origin')).toBeNull();
  });
});

describe('bytes that are no request', () => {
  test.each([
    ['garbage', '\0\x01\x02 garbage\r\n\r\n'],
    ['TLS', Buffer.from([0x16, 3, 1, 0, 5, 1, 0, 0, 1, 0])],
    ['a head without an end', `GET / HTTP/1.1\r\nhost: a\r\nx: ${'y'.repeat(100_000)}`],
    ['a length that is no number', 'POST /api/rooms HTTP/1.1\r\nhost: a\r\ncontent-length: -5\r\n\r\n'],
  ])('[HTTP7] %s ends that connection, and the server goes on', async (_name, bytes) => {
    await sendBytes(bytes).catch(() => '');
    expect((await server.rest('GET', '/healthz')).status).toBe(200);
  });

  test('[HTTP7] a client that leaves in the middle of anything harms nobody', async () => {
    const token = await server.token('alice');
    const fields = `host: a\r\nauthorization: Bearer ${token}\r\ncontent-length: 40`;
    const head = `POST /api/rooms HTTP/1.1\r\n${fields}\r\n\r\n`;
    const pieces = [
      head,
      `${head}{"name":"a","isPrivate":false}`.padEnd(head.length + 40),
      'GET /ws HTTP/1.1\r\nupgr',
    ];
    for (const piece of pieces) {
      await new Promise<void>((resolve, reject) => {
        const socket = connect(Number(new URL(server.url).port), '127.0.0.1', () => {
          socket.write(piece, () => socket.destroy());
        });
        socket.once('close', () => resolve());
        socket.once('error', reject);
      });
    }
    const client = await connectStomp(server, { user: 'alice' });
    await client.disconnect();
    expect(server.log.filter(({ level }) => Number(level) >= 50)).toEqual([]);
  });
});
