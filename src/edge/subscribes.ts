// SUBSCRIBE, UNSUBSCRIBE, ACK and NACK, and what follows when a subscription has started.
import { toSegment } from '../actors/route.ts';
import { actorKey } from '../actors/route.ts';
import { Refusal } from '../errors.ts';
import { ToShard, type From, type SubscribedMessage } from '../link/messages.ts';
import { CloseCode } from './connection.ts';
import { compilePattern, isPattern } from './destination-pattern.ts';
import type { Edge } from './edge.ts';
import { FrameWaiting, type Commit } from './sends.ts';
import type { Session } from './session.ts';
import type { Frame, FrameHeaders } from './stomp/frame.ts';
import { isWildcard, Subscription, type AckMode, type Source } from './subscription.ts';

const subscriptionsMax = 1_000;
const idCharactersMax = 255;
const durableNameCharactersMax = 100;
export const errorsDestination = '/user/queue/errors';

const noBody = new Uint8Array(0);

/** @throws Refusal; what the actor refuses comes later. */
export function subscribe(edge: Edge, session: Session, frame: Frame): void {
  const { headers } = frame;
  const destination = headers.get('destination');
  if (!destination) throw new Refusal('BAD_REQUEST', 'SUBSCRIBE needs a destination header.');
  const id = subscriptionId(session, headers) ?? destination;
  if (id.length > idCharactersMax) {
    throw new Refusal('BAD_REQUEST', `A subscription id has at most ${idCharactersMax} characters.`);
  }
  session.subscriptions ??= new Map();
  if (session.subscriptions.has(id)) {
    throw new Refusal('CONFLICT', `Subscription ${id} is in use; the first one stays.`);
  }
  if (session.subscriptions.size >= subscriptionsMax) {
    throw new Refusal('TOO_LARGE', `A session has at most ${subscriptionsMax} subscriptions.`);
  }
  const ack = ackMode(headers.get('ack'));
  const from = fromOf(headers, ack);
  const source = sourceOf(edge, session, destination);
  if (from?.[0] === 'durable' && (isWildcard(source) || destination === errorsDestination)) {
    throw new Refusal('BAD_REQUEST', `No position can be kept for ${destination}.`);
  }
  const subscription = new Subscription({
    number: edge.nextSubscription(),
    session,
    id,
    source,
    ack,
    from,
    receipt: headers.get('receipt') ?? null,
  });
  session.subscriptions.set(id, subscription);
  start(edge, subscription);
}

/** 1.0 lets a subscription go without an id: its destination stands for it. */
function subscriptionId(session: Session, headers: FrameHeaders): string | undefined {
  const id = headers.get('id');
  if (!id && session.version !== '1.0') throw new Refusal('BAD_REQUEST', 'An id header is needed.');
  return id;
}

/** Unknown modes count as auto, as in Spring. */
function ackMode(header: string | undefined): AckMode {
  return header === 'client' || header === 'client-individual' ? header : 'auto';
}

function fromOf(headers: FrameHeaders, ack: AckMode): From {
  const durable = headers.get('durable');
  if (durable !== undefined) {
    if (durable === '' || durable.length > durableNameCharactersMax) {
      const text = `durable must have 1 to ${durableNameCharactersMax} characters.`;
      throw new Refusal('BAD_REQUEST', text);
    }
    if (ack === 'auto') {
      throw new Refusal('BAD_REQUEST', 'durable needs ack:client or ack:client-individual.');
    }
    return ['durable', durable];
  }
  const resume = headers.get('resume');
  if (resume === undefined) return null;
  const [, epoch, seq] = /^(\S{1,64}):(\d{1,15})$/.exec(resume) ?? [];
  return epoch === undefined || seq === undefined ? ['lost'] : ['resume', epoch, Number(seq)];
}

function sourceOf(edge: Edge, session: Session, shown: string): Source {
  if (shown === errorsDestination) {
    const actor = actorKey('user', session.user);
    return { destination: shown, shown, actor, stream: 'errors', params: null };
  }
  // A query string holds a question mark too.
  if (isPattern(shown) && !shown.startsWith('/app/')) {
    if (!shown.startsWith('/topic/')) {
      throw new Refusal('NOT_FOUND', `Wildcards are for plain topics: ${shown}.`);
    }
    compilePattern(shown);
    return { destination: shown, shown, actor: '', stream: 'wildcard', params: null };
  }
  // Whatever follows /user is the subscriber's own, so no client can listen to another's.
  const destination = shown.startsWith('/user/')
    ? `/user/${toSegment(session.user)}/${shown.slice('/user/'.length)}`
    : shown;
  const found = edge.routes.find('SUBSCRIBE', destination);
  if (!found) throw new Refusal('NOT_FOUND', `Nothing serves ${shown}.`);
  const actor = actorKey(found.route.kind, found.id ?? '');
  return { destination, shown, actor, stream: found.route.target, params: found.params };
}

function start(edge: Edge, subscription: Subscription): void {
  const { session, source, from } = subscription;
  if (source.stream === 'errors') {
    session.errors = [...(session.errors ?? []), subscription];
    subscription.phase = 'live';
    session.receipt(subscription.receipt);
  } else if (source.stream === 'wildcard') {
    edge.addWildcard(subscription, () => session.receipt(subscription.receipt));
    // What a pattern missed can't be told: its messages have many streams.
    if (from !== null) deliverLost(edge, subscription, null, 0);
  } else {
    edge.portOf(source.actor).subscribe(subscription);
  }
}

/** A page came: messages that were missed, and maybe the moment from which the subscription is live. */
export function started(edge: Edge, subscription: Subscription, message: SubscribedMessage): void {
  const [, , live, recovered, epoch, head, page] = message;
  const { session, source } = subscription;
  if (subscription.phase === 'ended') {
    if (live) edge.portOf(source.actor).unsubscribe(subscription);
    return session.receipt(subscription.receipt);
  }
  const first = subscription.epoch === null;
  subscription.epoch = epoch;
  if (recovered === false) deliverLost(edge, subscription, epoch, head);
  else if (first && recovered) subscription.recovered = true;
  if (first && page.length === 0) subscription.acknowledged = head;
  for (const one of page) {
    if (first && one === page[0]) subscription.acknowledged = one[0] - 1;
    session.deliver(subscription, edge.fanOut.delivery(source.shown, epoch, one));
    if (session.phase === 'closed') return;
  }
  subscription.delivered = head;
  if (live) {
    subscription.phase = 'live';
    const channel = edge.fanOut.add(subscription);
    channel.epoch = epoch;
    channel.seq = head;
    session.receipt(subscription.receipt);
  } else edge.askOn(subscription);
}

/** The gap can't be filled whole: said at once, with where the stream stands. */
export function deliverLost(
  edge: Edge,
  subscription: Subscription,
  epoch: string | null,
  head: number,
): void {
  subscription.recovered = false;
  const message = [head, {}, noBody, true] as const;
  const { shown } = subscription.source;
  subscription.session.deliver(subscription, edge.fanOut.notice(shown, epoch, message));
}

export function startRefused(edge: Edge, subscription: Subscription, refusal: Refusal): void {
  if (subscription.phase !== 'ended') edge.drop(subscription);
  subscription.session.refuse(refusal, subscription.source.shown, subscription.receipt);
}

export function unsubscribe(edge: Edge, session: Session, { headers }: Frame): void {
  const id = subscriptionId(session, headers) ?? headers.get('destination') ?? '';
  const subscription = session.subscriptions?.get(id);
  if (!subscription) throw new Refusal('NOT_FOUND', `There is no subscription ${id}.`);
  edge.drop(subscription);
  session.receipt(headers.get('receipt'));
}

/** ACK and NACK. Only a durable name keeps positions; elsewhere nothing waits for an acknowledgement. */
export function acknowledge(edge: Edge, session: Session, frame: Frame, commit: Commit | null): void {
  const { headers, command } = frame;
  const ackId = headers.get('id') ?? headers.get('message-id') ?? '';
  const [, number, delivery] = /^(\d{1,15})-(\d{1,15})$/.exec(ackId) ?? [];
  const subscription = edge.subscription(session, Number(number ?? -1));
  if (!subscription || subscription.ack === 'auto' || Number(delivery) > subscription.delivered) {
    throw new Refusal('BAD_REQUEST', `There is no message to acknowledge as ${ackId}.`);
  }
  const receipt = headers.get('receipt');
  const { source, durable, epoch } = subscription;
  const counts = command === 'ACK' && durable !== null;
  const position = counts ? subscription.acknowledge(Number(delivery)) : null;
  if (subscription.overrun) {
    return session.end(CloseCode.tooSlow, 'too many messages acknowledged out of order');
  }
  if (position === null || durable === null || epoch === null) {
    session.receipt(receipt);
    commit?.settle(true);
    return;
  }
  const fields = [source.actor, source.destination, session.asker, durable, epoch, position] as const;
  const waiting = new FrameWaiting(session, source.shown, receipt, commit);
  edge.portOf(source.actor).request({ op: ToShard.acknowledge, fields }, waiting);
}
