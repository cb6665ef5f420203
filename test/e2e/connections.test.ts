// Connections: who gets in, and how.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startServer, type TestServer } from '../support/server.ts';
import { connectStomp } from '../support/stomp.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startServer();
});

test('[CONN1] smoke', async () => {
  const client = await connectStomp(server, { user: 'alice' });
  await client.subscribe('/topic/a');
  await client.send('/topic/a', 'hello', { x: 'a:b\nc' });
  const [one] = await client.messages('/topic/a', 1);
  expect(one?.body).toBe('hello');
  expect(one?.headers['x']).toBe('a:b\nc');
  expect(await client.disconnect()).toEqual({ code: 1005, reason: '' });
});
afterAll(async () => {
  expect(await server.stop()).toEqual({ code: 0, signal: null });
});
