// SUBSCRIBE, UNSUBSCRIBE, ACK and NACK.
import { Refusal } from '../errors.ts';
import { ToShard, type From } from '../link/messages.ts';
import { askAnswer, askedBy } from './answers.ts';
import { CloseCode } from './connection.ts';
import { consumeFrom } from './consumers.ts';
import type { Edge } from './edge.ts';
import { FrameWaiting, type Commit } from './frame-waiting.ts';
import type { Session } from './session.ts';
import { answerSource, sourceOf } from './sources.ts';
import { deliverLost } from './starts.ts';
import type { Frame, FrameHeaders } from './frame.ts';
import { Subscription, tagOf, type AckMode } from './subscription.ts';

const subscriptionsMax = 1_000;
const idCharactersMax = 255;
const durableNameCharactersMax = 100;

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
  const asked = askedBy(edge, session, destination);
  const source = asked ? answerSource(destination) : sourceOf(edge, session, destination);
  const from = source.type === 'queue' ? consumeFrom(headers, destination) : fromOf(headers, ack);
  const isStream = source.type === 'stream' || source.type === 'conflated';
  if (from?.[0] === 'durable' && !isStream) {
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
  if (asked) askAnswer(edge, subscription, asked);
  else start(edge, subscription);
}

/** 1.0 lets a subscription go without an id: its destination stands for it. */
function subscriptionId(session: Session, headers: FrameHeaders): string | undefined {
  const id = headers.get('id');
  if (!id && !session.dialect.idsAreOptional) throw new Refusal('BAD_REQUEST', 'An id header is needed.');
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

function start(edge: Edge, subscription: Subscription): void {
  const { session, source, from } = subscription;
  if (source.type === 'errors') {
    session.errors = [...(session.errors ?? []), subscription];
    subscription.phase = 'live';
    session.receipt(subscription.receipt);
  } else if (source.type === 'wildcard') {
    edge.addWildcard(subscription, () => session.receipt(subscription.receipt));
    // What a pattern missed can't be told: its messages have many streams.
    if (from !== null) deliverLost(edge, subscription, null, 0);
  } else {
    edge.portOf(source.actor).subscribe(subscription);
  }
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
  const [, number, delivery, tag] = /^(\d{1,15})-(\d{1,15})-(\w+)$/.exec(ackId) ?? [];
  const subscription = edge.subscription(session, Number(number ?? -1));
  if (
    !subscription ||
    tag !== tagOf(session) ||
    subscription.ack === 'auto' ||
    Number(delivery) > subscription.delivered
  ) {
    throw new Refusal('BAD_REQUEST', `There is no message to acknowledge as ${ackId}.`);
  }
  if (subscription.source.type === 'queue') {
    return edge.consumers.acknowledge(subscription, frame, Number(delivery), commit);
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
