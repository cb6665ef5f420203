// Queues as those who work on them use them.
import type { TestServer } from './server.ts';
import {
  connectStomp,
  isMessageOf,
  type FrameHeaders,
  type ReceivedFrame,
  type TestClient,
} from './stomp.ts';

let queues = 0;

/** The destination of a queue that no other test uses. */
export function newQueue(): string {
  queues += 1;
  return `/queue/jobs/${queues}`;
}

/** A client that subscribes to the queue as `q`, with `ack: client-individual` unless told otherwise. */
export async function connectWorker(
  server: TestServer,
  queue: string,
  headers: FrameHeaders = {},
  user = 'worker',
): Promise<TestClient> {
  const client = await connectStomp(server, { user });
  await work(client, queue, headers);
  return client;
}

/** Subscribes as `q` unless told otherwise. */
export async function work(client: TestClient, queue: string, headers: FrameHeaders = {}): Promise<void> {
  await client.subscribe(queue, { id: 'q', ack: 'client-individual', ...headers });
}

export const bodiesOf = (frames: readonly ReceivedFrame[]): string[] => frames.map(({ body }) => body);

/** Bodies that came of the queue up to now. */
export const gotOf = (client: TestClient, queue: string): string[] => bodiesOf(client.received(queue));

/** The first message with that body, of those that came or come. */
export function job(client: TestClient, queue: string, body: string): Promise<ReceivedFrame> {
  return client.waitFor((frame) => isMessageOf(queue)(frame) && frame.body === body, `${body} of ${queue}`);
}

/** ACK; resolves when it is durable. */
export async function acknowledge(client: TestClient, frame: ReceivedFrame | undefined): Promise<void> {
  await client.request('ACK', { id: frame?.headers['ack'] ?? 'no ack header' });
}

/** NACK; resolves when the message is given back. */
export async function giveBack(client: TestClient, frame: ReceivedFrame | undefined): Promise<void> {
  await client.request('NACK', { id: frame?.headers['ack'] ?? 'no ack header' });
}

export const isRedelivered = ({ headers }: ReceivedFrame): boolean => headers['redelivered'] === 'true';
