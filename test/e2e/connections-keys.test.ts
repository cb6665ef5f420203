// Connections whose tokens are checked with a key set that may be away.
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { expect, test } from 'vitest';
import { startServer } from '../support/server.ts';
import { openSocket } from '../support/stomp.ts';

test('[CONN14] while the keys are away a client is told UNAVAILABLE, and gets in with the same token later', async () => {
  const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true });
  let isAway = true;
  const keys = createServer((_, response) => {
    response.writeHead(isAway ? 503 : 200, { 'content-type': 'application/json' });
    void exportJWK(publicKey).then((key) => response.end(JSON.stringify({ keys: [key] })));
  }).listen(0, '127.0.0.1');
  await once(keys, 'listening');
  const jwksUrl = `http://127.0.0.1:${(keys.address() as AddressInfo).port}/keys`;
  const server = await startServer({ settings: { jwksUrl } });
  const token = await new SignJWT({ sub: 'alice' }).setProtectedHeader({ alg: 'ES256' }).sign(privateKey);
  const knock = async (bearer: string) => {
    const client = await openSocket(server);
    client.sendFrame('CONNECT', { 'accept-version': '1.2', host: 'any', Authorization: `Bearer ${bearer}` });
    return client;
  };

  const { error, closed } = await (await knock(token)).failure();
  expect(error.headers).toMatchObject({ message: 'UNAVAILABLE', code: 'UNAVAILABLE' });
  expect(closed.code).toBe(1013);
  const garbage = await (await knock('garbage')).failure();
  expect([garbage.error.headers['message'], garbage.closed.code]).toEqual(['UNAUTHORIZED', 1008]);

  isAway = false;
  const connected = await (await knock(token)).waitFor(({ command }) => command === 'CONNECTED');
  expect(connected.headers['user-name']).toBe('alice');
  keys.close();
});
