// Requests of SockJS as a client makes them, and the program with the services that the protocol's suites expect.
import { spawn, type ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterAll } from 'vitest';
import { RawHttp, type RawResponse, type RequestHead } from './raw-http.ts';

const servicesFile = fileURLToPath(new URL('./sockjs-services.js', import.meta.url));
const running = new Set<ChildProcess>();
const connections = new Set<RawHttp>();

afterAll(async () => {
  for (const connection of connections) connection.close();
  for (const child of running) child.kill('SIGKILL');
  await Promise.all([...running].map((child) => once(child, 'close')));
});

/** Starts the program on a free port. @returns its URL; that of the server behind its proxy if `direct`. */
export async function startServices(direct = false): Promise<string> {
  const child = spawn(process.execPath, [servicesFile, '0'], { stdio: ['ignore', 'pipe', 'inherit'] });
  running.add(child);
  const [line] = (await once(createInterface(child.stdout), 'line')) as [string];
  const [, port, directPort] = /:(\d+), .* (\d+)$/.exec(line) ?? [];
  return `http://127.0.0.1:${direct ? directPort : port}`;
}

/** A whole response. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** The response to a request that has its connection to itself. */
type OwnResponse = RawResponse & Readonly<Record<'close' | 'pause' | 'resume', () => void>>;

/** Asks over a connection of its own, and goes on reading. */
export async function ask(url: string, method: string, request: RequestHead = {}): Promise<OwnResponse> {
  const connection = new RawHttp(url);
  connections.add(connection);
  const response = await connection.ask(method, pathOf(url), request);
  return Object.assign(response, {
    close: () => connection.close(),
    pause: () => connection.pause(),
    resume: () => connection.resume(),
  });
}

/** Asks over a connection of its own, and reads to the end. */
export async function fetchWhole(url: string, method = 'GET', request: RequestHead = {}): Promise<Answer> {
  const response = await ask(url, method, request);
  const hasBody = response.status !== 204 && response.status !== 304 && method !== 'HEAD';
  const body = hasBody ? await response.body() : '';
  response.close();
  return { status: response.status, headers: response.headers, body };
}

/** The URL of a new session below a base. */
export function newSession(base: string): string {
  return `${base}/000/${randomUUID()}`;
}

export function poll(session: string, request: RequestHead = {}, query = ''): Promise<Answer> {
  return fetchWhole(`${session}/xhr${query}`, 'POST', request);
}

/** @param body a list of messages, or a body as it is. */
export function xhrSend(
  session: string,
  body: string | readonly string[],
  request: RequestHead = {},
  query = '',
): Promise<Answer> {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  return fetchWhole(`${session}/xhr_send${query}`, 'POST', { ...request, body: text });
}

/** A poll that waits for something to bring. */
export interface HeldPoll {
  /** Cuts it off. */
  close(): void;
  body(): Promise<string>;
}

/** Asks twice at once. @returns the poll that waits, and what the other was told. */
export async function holdPoll(session: string): Promise<{ held: HeldPoll; refused: string }> {
  const both = [new RawHttp(session), new RawHttp(session)].map((connection, index) => {
    connections.add(connection);
    const answer = connection.ask('POST', pathOf(`${session}/xhr`)).then((response) => response.body());
    return { index, connection, answer };
  });
  // The end of the one that waits is the test's affair.
  for (const { answer } of both) answer.catch(() => undefined);
  const first = await Promise.race(
    both.map(({ index, answer }) => answer.then((refused) => ({ index, refused }))),
  );
  const other = both[1 - first.index];
  if (!other) throw new Error('there are two');
  const held = { close: () => other.connection.close(), body: () => other.answer };
  return { held, refused: first.refused };
}

function pathOf(url: string): string {
  // As it is: a URL object would tidy dots and slashes away.
  return url.replace(/^https?:\/\/[^/]+/, '') || '/';
}
