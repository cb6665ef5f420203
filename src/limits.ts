// Every bound that is not a setting: a queue, a wait or a size that nobody needs to tune, in one place.
import type { ShardLimits } from './actors/shard.ts';
import type { EdgeConfig } from './edge/edge.ts';
import type { EndpointLimits } from './edge/sockjs/endpoint.ts';

const mebibyte = 1024 * 1024;
const minuteMs = 60_000;

/** Of each edge thread; the rest of an EdgeConfig are settings. */
export const edgeLimits: Readonly<
  Pick<
    EdgeConfig,
    'firstFrameWithinMs' | 'commandsInFlightMax' | 'unreadBytesMax' | 'conflateBytesMax' | 'drainSpreadMs'
  >
> = Object.freeze({
  firstFrameWithinMs: minuteMs,
  commandsInFlightMax: 1_000,
  unreadBytesMax: mebibyte,
  conflateBytesMax: 64 * 1024,
  drainSpreadMs: 1_000,
});

/** Of SockJS at each edge thread. */
export const sockjsLimits: Readonly<EndpointLimits> = Object.freeze({
  heartBeatMs: 25_000,
  disconnectDelayMs: 5_000,
  responseBytesMax: 128 * 1024,
  messageBytesMax: 2 * mebibyte,
  unreadBytesMax: 64 * mebibyte,
  sessionsMax: 50_000,
});

/** Of the bodies of `xhr_send` that an edge thread is reading, together. */
export const sockjsBodiesBytesMax = 64 * mebibyte;

/** Of a frame's head; above it the frame breaks the protocol. */
export const headLimits = Object.freeze({ headersMax: 64, headerBytesMax: 16 * 1024 });

/** Of each shard thread. */
export const shardLimits: Readonly<ShardLimits> = Object.freeze({
  mailboxMax: 1_024,
  actorsMax: 100_000,
  idleMs: minuteMs,
  faultsMax: 5,
  stopMs: 1_000,
  writesMax: 20_000,
  bytesMax: 64 * mebibyte,
});

/** How long the last frames of a drain get to leave before the sockets are closed. */
export const farewellMs = 200;

/** How often what is too old is removed from the database. */
export const expireEveryMs = 60 * minuteMs;
/** How long a plain topic without new messages keeps its history. */
export const topicLifetimeMs = 24 * 60 * minuteMs;
