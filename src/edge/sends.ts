// SEND: finds the actor, and answers when it has answered.
import { isUtf8 } from 'node:buffer';
import { Refusal } from '../errors.ts';
import { ToShard, type Headers } from '../link/messages.ts';
import type { Edge } from './edge.ts';
import { FrameWaiting, SendWaiting, type Commit } from './frame-waiting.ts';
import { checkIdempotencyKey, newIdFor } from './idempotency-key.ts';
import { actorOf } from './route-table.ts';
import type { Session } from './session.ts';
import type { Waiting } from './shard-port.ts';
import type { Frame, FrameHeaders } from './frame.ts';

/** Where a client sends a fresh token. */
const refreshDestination = '/app/auth.refresh';

/** Headers of a SEND that are between its sender and the server, or that only the server may write. */
const notPassedOn = new Set([
  'destination',
  'receipt',
  'content-length',
  'transaction',
  'idempotency-key',
  'authorization',
  'Authorization',
  'subscription',
  'message-id',
  'ack',
  'seq',
  'epoch',
  'recovered',
  'redelivered',
  // The link would change its name.
  '__proto__',
]);

function passedOn(headers: FrameHeaders): Headers {
  const passed: Record<string, string> = Object.create(null) as Record<string, string>;
  for (const [name, value] of headers) if (!notPassedOn.has(name)) passed[name] = value;
  return passed;
}

/** Takes a token of the user's bucket. Held frames have paid when they came. */
export function checkRate(edge: Edge, session: Session): void {
  const retryAfterMs = edge.rateLimiter?.take(session.user, edge.now()) ?? 0;
  if (retryAfterMs > 0) {
    throw new Refusal('RATE_LIMITED', 'Too many messages, slow down.', { retryAfterMs });
  }
}

/**
 * @param options `isText` when the body is known to be UTF-8.
 * @throws Refusal for what can be told without the actor.
 */
export function send(
  edge: Edge,
  session: Session,
  frame: Frame,
  { isText, commit }: { isText: boolean; commit: Commit | null },
): void {
  const { headers, body } = frame;
  const destination = headers.get('destination');
  if (!destination) throw new Refusal('BAD_REQUEST', 'SEND needs a destination header.');
  const receipt = headers.get('receipt');
  const found = edge.routes.find('SEND', destination);
  if (!found) {
    if (destination !== refreshDestination) {
      throw new Refusal('NOT_FOUND', `Nothing handles ${destination}.`);
    }
    return refresh(edge, session, body, new FrameWaiting(session, destination, receipt, commit));
  }
  const key = headers.get('idempotency-key') ?? null;
  checkIdempotencyKey(key, 'idempotency-key');
  checkInFlight(edge, session);
  const newId = (): string => newIdFor(found.route.kind, session.user, key);
  const actor = actorOf(found, session.user, newId, body);
  const fields = [
    actor,
    found.route.target,
    session.asker,
    found.params,
    key,
    found.route.passesOn ? passedOn(headers) : null,
    // A view of bytes that the transport takes back: the link packs them only at the end of this turn.
    new Uint8Array(body),
    // Whoever takes the body as JSON looks for itself.
    isText || (found.route.passesOn && isUtf8(body)),
  ] as const;
  const frameWaiting = new FrameWaiting(session, destination, receipt, commit);
  const waiting = new SendWaiting(edge, session, fields, frameWaiting);
  edge.portOf(actor).request({ op: ToShard.command, fields }, waiting);
}

/** @throws Refusal UNAVAILABLE when too much that the session asked is not answered. */
export function checkInFlight(edge: Edge, session: Session): void {
  if (session.inFlight < edge.config.commandsInFlightMax) return;
  throw new Refusal('UNAVAILABLE', 'Too many commands of this session are not answered yet.');
}

function refresh(edge: Edge, session: Session, body: Uint8Array, waiting: Waiting): void {
  const token = parseToken(body);
  if (token === null) {
    return waiting.refused(new Refusal('BAD_REQUEST', 'The body must be {"token": "<jwt>"}.'));
  }
  edge.authenticator.verify(token).then(
    (identity) => {
      if (identity.user !== session.user) {
        return waiting.refused(new Refusal('FORBIDDEN', 'The token is of another user.'));
      }
      if (session.phase !== 'closed') session.refresh(identity);
      return waiting.answered(null, null);
    },
    (thrown: unknown) => {
      const refusal = new Refusal('UNAUTHORIZED', 'The token could not be checked.');
      waiting.refused(thrown instanceof Refusal ? thrown : refusal);
    },
  );
}

function parseToken(body: Uint8Array): string | null {
  try {
    const value = JSON.parse(Buffer.from(body).toString()) as { token?: unknown } | null;
    return typeof value?.token === 'string' ? value.token : null;
  } catch {
    return null;
  }
}
