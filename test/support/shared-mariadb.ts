// One database server for all test files of a run: vitest's own process starts it when the first one asks, and ends it
// with the run. Test files ask over a socket.
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, inject } from 'vitest';
import type { TestProject } from 'vitest/node';
import {
  givenMysqlUrl,
  installMariadb,
  MysqlServer,
  runsMysql,
  startMariadb,
  type MariadbServer,
} from './mariadb.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** Path of the socket. */
    mariadb: string;
  }
}

type Question = 'template' | 'server';

let folder: string | undefined;
let asked: Server | undefined;
let template: string | undefined;
let server: Promise<MariadbServer> | undefined;

/** In vitest's own process, before the run. */
export function setup(project: TestProject): void {
  folder = mkdtempSync(join(tmpdir(), 'stagewire-run-'));
  const path = join(folder, 'mariadb');
  asked = createServer((socket) => {
    socket.on('error', () => socket.destroy());
    socket.once('data', (question) => {
      answer(String(question) as Question).then(
        (found) => socket.end(JSON.stringify({ found })),
        (error: unknown) => socket.end(JSON.stringify({ failure: String(error) })),
      );
    });
  }).listen(path);
  project.provide('mariadb', path);
}

/** In vitest's own process, after the run. */
export async function teardown(): Promise<void> {
  asked?.close();
  await server?.then((started) => started.remove());
  for (const each of [folder, template]) if (each) rmSync(each, { recursive: true, force: true });
}

async function answer(question: Question): Promise<string> {
  template ??= installMariadb();
  if (question === 'template') return template;
  server ??= startMariadb(template);
  return (await server).url('');
}

async function ask(question: Question): Promise<string> {
  const socket = connect(inject('mariadb'));
  await once(socket, 'connect');
  socket.write(question);
  const { found, failure } = JSON.parse(await text(socket)) as { found?: string; failure?: string };
  if (found === undefined) throw new Error(failure);
  return found;
}

/** The server that all test files share, or the one that was given. Call `dropDatabases` of it at the end. */
export async function sharedMariadb(): Promise<MysqlServer> {
  return new MysqlServer(givenMysqlUrl ?? (await ask('server')));
}

/**
 * A server of one's own; call `remove` of it at the end.
 *
 * @param place an empty folder for all it has; a new one unless given.
 */
export async function ownMariadb(place?: string): Promise<MariadbServer> {
  return startMariadb(await ask('template'), place);
}

/** For the top of a test file: the shared server while its tests run, its databases dropped afterwards. */
export function useMariadb(): () => MysqlServer {
  let shared: MysqlServer | undefined;
  beforeAll(async () => {
    if (runsMysql) shared = await sharedMariadb();
  });
  afterAll(() => shared?.dropDatabases());
  return () => {
    if (!shared) throw new Error('There is no database server before the tests run.');
    return shared;
  };
}
