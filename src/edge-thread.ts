// An edge thread: wires sockets, sessions and links.
import { Authenticator } from './edge/auth.ts';
import { Edge } from './edge/edge.ts';
import { OpenDoors, openPaths } from './edge/open-doors.ts';
import { Origins } from './edge/origins.ts';
import { RateLimiter } from './edge/rate-limit.ts';
import { RouteTable } from './edge/route-table.ts';
import { Server } from './edge/server.ts';
import { describeRest } from './actors/openapi.ts';
import { routesOf, sessionKindsOf } from './actors/routes.ts';
import { Door } from './edge/sockjs/door.ts';
import { HttpGroups } from './edge/sockjs/http-groups.ts';
import { StompApp, stompEndpoints } from './edge/stomp-over-sockjs.ts';
import { asError } from './lib/as-error.ts';
import { systemClock } from './lib/clock.ts';
import { edgeLimits, farewellMs, headLimits, sockjsBodiesBytesMax, sockjsLimits } from './limits.ts';
import { loadKinds } from './load-kinds.ts';
import { openLog } from './log.ts';
import { databaseFails, metricsText, nodeBoard, redisIsAway, watchThread } from './node-metrics.ts';
import { readPageFiles } from './page-files.ts';
import type { EdgeTask, Order, Report } from './thread-tasks.ts';
import { version } from './version.ts';

/** How long clients of SockJS get to come for their last frames, and how often it is looked whether they have. */
const sockjsFarewellMs = 1_000;
const farewellCheckMs = 10;

/** Runs until it is told to drain. Rejects when the port can't be had or after a fault that can't be mended. */
export async function runEdge({
  settings,
  metrics,
  control,
  index,
  port,
  rateTable,
}: EdgeTask): Promise<void> {
  const { config, secret } = settings;
  const log = openLog(settings.logLevel, `edge-${index}`);
  const kinds = await loadKinds(settings.kindsUrl);
  const board = nodeBoard(config, metrics);
  const counts = board.countsOf(`edge-${index}`);
  watchThread(counts.thread, systemClock, () => undefined);
  const httpGroups = new HttpGroups();
  const server = new Server(counts.edge, httpGroups);
  const edge = new Edge({
    config: {
      ...edgeLimits,
      // A few of the largest frames are no slow reader yet.
      unreadBytesMax: Math.max(edgeLimits.unreadBytesMax, config.frameBytesMax * 16),
      frames: { ...headLimits, frameBytesMax: config.frameBytesMax },
      heartBeatMs: config.heartBeatMs,
    },
    shardCount: config.shards,
    routes: new RouteTable(routesOf(kinds)),
    sessionKinds: sessionKindsOf(kinds),
    authenticator: new Authenticator({
      clock: systemClock,
      secret: secret ?? undefined,
      jwksUrl: config.jwksUrl ?? undefined,
    }),
    rateLimiter: config.rateLimit ? new RateLimiter(rateTable, config.rateLimit) : null,
    groups: server,
    clock: systemClock,
    log,
    counts: counts.edge,
  });
  const origins = new Origins(config.origins, (origin) => {
    log.warn({ origin }, 'pages of this origin are refused: --origin lists those that may connect');
  });
  const endpoints = stompEndpoints({
    app: new StompApp(edge, server),
    clock: systemClock,
    groups: httpGroups,
    origins,
    limits: {
      ...sockjsLimits,
      // The largest frame, with each byte of it escaped.
      messageBytesMax: Math.max(sockjsLimits.messageBytesMax, config.frameBytesMax * 7),
    },
  });
  const sockjs = new Door(endpoints, {
    place: { index, count: config.edges },
    bodiesBytesMax: Math.max(sockjsBodiesBytesMax, config.frameBytesMax * 7),
    onFault: (error) => log.error({ err: error }, 'a request of another edge failed'),
  });
  const openDoors = new OpenDoors({
    description: JSON.stringify(describeRest(kinds, { version, own: openPaths })),
    page: readPageFiles(),
    metrics: () => metricsText(board),
    databaseFails: () => databaseFails(board),
    redisIsAway: config.redisUrl === null ? null : () => redisIsAway(board),
  });

  const ended = new Promise<void>((resolve, reject) => {
    let over = false;
    const end = (then: () => void): void => {
      if (over) return;
      over = true;
      sockjs.close();
      server.close();
      edge.close();
      control.close();
      then();
    };
    catchFaults((error) => {
      log.fatal({ err: error }, 'uncaught exception, the edge is started again');
      server.stopListening();
      end(() => reject(asError(error)));
    });
    const drain = async (): Promise<void> => {
      server.stopListening();
      sockjs.drain();
      await edge.drain();
      await sockjsFarewell(sockjs);
      // The last frames and the clients' own goodbyes are on their way.
      systemClock.after(edge.hadSessions ? farewellMs : 0, () => end(resolve));
    };
    control.on('message', (order: Order) => {
      if (order.type === 'connect') edge.connectShard(order.index, order.end);
      else if (order.type === 'peer') sockjs.connect(order.index, order.end);
      else void drain().catch((error: unknown) => end(() => reject(asError(error))));
    });
  });

  try {
    await server.listen(edge, {
      host: config.host,
      port,
      origins,
      log,
      openDoors,
      clock: systemClock,
      sockjs,
    });
  } catch (error) {
    server.close();
    control.close();
    throw error;
  }
  control.postMessage({ type: 'ready' } satisfies Report);
  return ended;
}

/** Clients that poll come for their last frames, and those of other edges for what is held here. */
async function sockjsFarewell(sockjs: Door): Promise<void> {
  for (let waitedMs = 0; !sockjs.idle && waitedMs < sockjsFarewellMs; waitedMs += farewellCheckMs) {
    await new Promise<void>((resolve) => systemClock.after(farewellCheckMs, resolve));
  }
}

let onFault: ((error: Error) => void) | null = null;

/**
 * Left to Node, an uncaught error would end the thread with its sockets open, and that aborts the process. The thread
 * lives on and the next edge may run in it, so the handler stays and only what it calls changes.
 */
function catchFaults(handler: (error: Error) => void): void {
  if (onFault === null) process.on('uncaughtException', (error) => onFault?.(error));
  onFault = handler;
}
