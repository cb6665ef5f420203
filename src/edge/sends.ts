// SEND: finds the actor, and answers when it has answered.
import { Refusal } from '../errors.ts';
import { newId } from '../lib/random.ts';
import { ToShard, type Headers } from '../link/messages.ts';
import type { Edge } from './edge.ts';
import { actorOf } from './route-table.ts';
import type { Session } from './session.ts';
import type { Waiting } from './shard-port.ts';
import type { Frame, FrameHeaders } from './stomp/frame.ts';
import type { Transaction } from './transactions.ts';

/** Where a client sends a fresh token. */
const refreshDestination = '/app/auth.refresh';
const idempotencyKeyCharactersMax = 255;

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
]);

/** The frames of one COMMIT: its RECEIPT comes after the last of them, unless one was refused. */
export class Commit {
  readonly #session: Session;
  readonly #receipt: string | undefined;
  #open: number;
  #refused: number;

  constructor(session: Session, { frames, refused }: Transaction, receipt: string | undefined) {
    this.#session = session;
    this.#receipt = receipt;
    this.#open = frames.length;
    this.#refused = refused;
    if (this.#open === 0) this.#answer();
  }

  settle(ok: boolean): void {
    this.#open -= 1;
    if (!ok) this.#refused += 1;
    if (this.#open === 0) this.#answer();
  }

  #answer(): void {
    if (this.#refused === 0) return this.#session.receipt(this.#receipt);
    const text = `${this.#refused} of the transaction's frames were refused.`;
    this.#session.refuse(new Refusal('CONFLICT', text), '', this.#receipt);
  }
}

/** A frame whose command is on its way. */
export class FrameWaiting implements Waiting {
  readonly #session: Session;
  readonly #destination: string;
  readonly #receipt: string | undefined;
  readonly #commit: Commit | null;

  constructor(session: Session, destination: string, receipt: string | undefined, commit: Commit | null) {
    this.#session = session;
    this.#destination = destination;
    this.#receipt = receipt;
    this.#commit = commit;
    session.inFlight += 1;
  }

  answered(): void {
    this.#session.receipt(this.#receipt);
    this.#commit?.settle(true);
    this.#session.settled();
  }

  refused(refusal: Refusal): void {
    this.#session.refuse(refusal, this.#destination, this.#receipt);
    this.#commit?.settle(false);
    this.#session.settled();
  }
}

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

/** @throws Refusal for what can be told without the actor. */
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
  if (key !== null && (key === '' || key.length > idempotencyKeyCharactersMax || key.includes('\0'))) {
    const text = `idempotency-key must have 1 to ${idempotencyKeyCharactersMax} characters.`;
    throw new Refusal('BAD_REQUEST', text);
  }
  if (session.inFlight >= edge.config.commandsInFlightMax) {
    throw new Refusal('UNAVAILABLE', 'Too many commands of this session are not answered yet.');
  }
  const actor = actorOf(found, session.user, newId);
  const fields = [
    actor,
    found.route.target,
    session.asker,
    found.params,
    key,
    found.route.passesOn ? passedOn(headers) : null,
    // A view of bytes that the transport takes back: the link packs them only at the end of this turn.
    new Uint8Array(body),
    isText,
  ] as const;
  const waiting = new FrameWaiting(session, destination, receipt, commit);
  edge.portOf(actor).request({ op: ToShard.command, fields }, waiting);
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
      return waiting.answered(null);
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
