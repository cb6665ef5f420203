// The servers under test: how each is started, spoken to and named. All do the same work in the same run.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { execPath } from 'node:process';
import { fileURLToPath } from 'node:url';
import { wallSeconds } from './lib/clock.ts';
import { benchFolder, packageVersion, rootFolder, versionIn } from './lib/packages.ts';
import { signToken } from './lib/token.ts';
import type { EditingProtocolName } from './protocols/editing-table.ts';
import type { ProtocolName } from './protocols/table.ts';
import type { Work } from './scenarios/scenario.ts';

export interface TargetSetup {
  /** Empty folder of this one server, deleted afterwards. */
  readonly folder: string;
  readonly secret: string;
  /** Null for a target that stores nothing. */
  readonly databaseUrl: string | null;
  /** Of what nodes share; null for a server on its own. */
  readonly redisUrl: string | null;
  /** More arguments for `stagewire start`. */
  readonly serverArgs: readonly string[];
}

export interface Target {
  readonly name: string;
  /** How rooms are spoken of; undefined without any. */
  readonly protocol: ProtocolName | undefined;
  /** How documents are spoken of; undefined without any. */
  readonly editingProtocol?: EditingProtocolName;
  readonly works: readonly Work[];
  /** What a receipt means here. */
  readonly stores: 'durable' | 'nothing';
  /** Whether every message asks for a receipt, only those where receipts are what is measured, or none can. */
  readonly receipts: 'always' | 'where measured' | 'never';
  /** The package of bench/package.json it needs, if any. */
  readonly needs: string | undefined;
  /** Where it stores: a file of its own, or a server whose URL must be given; undefined where it stores nothing. */
  readonly store?: 'sqlite' | 'mysql';
  /** Whether it shares through Redis, whose URL must be given. */
  readonly shares?: boolean;
  version(): string;
  command(setup: TargetSetup): readonly string[];
  /** Names of `count` rooms that exist now. */
  makeRooms(
    count: number,
    server: { readonly port: number; readonly secret: string },
  ): Promise<readonly string[]>;
}

/** @throws Error when Stagewire has not been built. */
function entryFile(): string {
  const file = join(rootFolder, 'dist/server/main.js');
  if (!existsSync(file)) {
    throw new Error('dist/server/main.js is missing: run "npm run build" first');
  }
  return file;
}

const stagewire: Target = {
  name: 'stagewire',
  protocol: 'stagewire',
  editingProtocol: 'stagewire',
  works: ['chat', 'documents', 'ticks', 'presence'],
  stores: 'durable',
  receipts: 'always',
  needs: undefined,
  version: () => versionIn(rootFolder),
  store: 'sqlite',
  command: ({ secret, databaseUrl, redisUrl, serverArgs }) => [
    execPath,
    entryFile(),
    'start',
    '--host=127.0.0.1',
    '--port=0',
    `--database-url=${databaseUrl}`,
    ...(redisUrl === null ? [] : [`--redis-url=${redisUrl}`]),
    `--jwt-secret=${secret}`,
    '--rate-limit=off',
    '--log-level=warn',
    ...serverArgs,
  ],
  makeRooms: async (count, { port, secret }) => {
    const headers = {
      authorization: `Bearer ${signToken('room-owner', secret, wallSeconds())}`,
      'content-type': 'application/json',
    };
    const rooms: string[] = [];
    for (let index = 0; index < count; index++) {
      const response = await fetch(`http://127.0.0.1:${port}/api/rooms`, {
        method: 'POST',
        headers,
        body: JSON.stringify({ name: `bench ${index}`, isPrivate: false }),
        signal: AbortSignal.timeout(10_000),
      });
      const text = await response.text();
      if (response.status !== 201) {
        throw new Error(`POST /api/rooms answered ${response.status} ${text.slice(0, 200)}`);
      }
      rooms.push((JSON.parse(text) as { roomId: string }).roomId);
    }
    return rooms;
  },
};

interface PeerOptions {
  readonly protocol?: ProtocolName;
  readonly editingProtocol?: EditingProtocolName;
  readonly receipts?: 'never';
  readonly needs?: string;
  /** Package whose version is reported. */
  readonly package: string;
}

/** A peer named after its file in bench/peers. */
function peer(name: string, options: PeerOptions): Target {
  const script = fileURLToPath(new URL(`./peers/${name.replace('.', '-')}.js`, import.meta.url));
  return {
    name,
    protocol: options.protocol,
    ...(options.editingProtocol === undefined ? {} : { editingProtocol: options.editingProtocol }),
    works: options.protocol === undefined ? ['documents'] : ['chat'],
    stores: 'nothing',
    receipts: options.receipts ?? 'where measured',
    needs: options.needs,
    version: () => packageVersion(options.package),
    command: ({ secret }) => [execPath, script, secret, benchFolder],
    // A room exists as soon as someone joins it; eight characters, as the raw protocol wants.
    makeRooms: (count) =>
      Promise.resolve(Array.from({ length: count }, (_, index) => `room${String(index).padStart(4, '0')}`)),
  };
}

/** All targets in the order of the report. */
export const targets: readonly Target[] = [
  stagewire,
  // Documents, prices and presence are not spoken of in it here.
  { ...stagewire, name: 'stagewire-msgpack', protocol: 'stagewire-msgpack', works: ['chat'] },
  { ...stagewire, name: 'stagewire-redis', shares: true },
  { ...stagewire, name: 'stagewire-mysql', store: 'mysql' },
  { ...stagewire, name: 'stagewire-mysql-redis', store: 'mysql', shares: true },
  { ...stagewire, name: 'stagewire-sockjs', protocol: 'stagewire-sockjs', works: ['chat'] },
  peer('uws', { protocol: 'raw', package: 'uWebSockets.js' }),
  peer('ws', { protocol: 'raw', needs: 'ws', package: 'ws' }),
  peer('socket.io', { protocol: 'socket.io', needs: 'socket.io', package: 'socket.io' }),
  peer('stomp-broker-js', {
    protocol: 'stomp-broker',
    // Its SEND handler loses the callback that would answer.
    receipts: 'never',
    needs: 'stomp-broker-js',
    package: 'stomp-broker-js',
  }),
  peer('sharedb', { editingProtocol: 'sharedb', needs: 'sharedb', package: 'sharedb' }),
];
