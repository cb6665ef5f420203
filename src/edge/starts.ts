// What follows when a shard answers a SUBSCRIBE: pages of what was missed or of what is so now, and the moment from
// which the subscription is live.
import type { Refusal } from '../errors.ts';
import type { StreamMessage, SubscribedMessage } from '../link/messages.ts';
import type { Edge } from './edge.ts';
import type { Subscription } from './subscription.ts';

const noBody = new Uint8Array(0);

/** A page came, and maybe the moment from which the subscription is live. */
export function started(edge: Edge, subscription: Subscription, message: SubscribedMessage): void {
  const [, , live, , epoch, head] = message;
  const { session, source, receipt } = subscription;
  if (source.type === 'queue') return edge.consumers.started(subscription);
  if (subscription.phase === 'ended') {
    if (live) edge.portOf(source.actor).unsubscribe(subscription);
    edge.conflation.settled(subscription);
    return session.receipt(receipt);
  }
  deliverPage(edge, subscription, message);
  if (session.phase === 'closed') return;
  // Where nothing is kept the deliveries are counted instead.
  if (epoch !== null) subscription.delivered = head;
  if (!live) {
    if (epoch === null) subscription.from = ['since', head];
    return edge.askOn(subscription);
  }
  subscription.phase = 'live';
  edge.fanOut.add(subscription).startedAt(epoch, head);
  subscription.receipt = null;
  session.receipt(receipt);
  edge.conflation.settled(subscription);
}

function deliverPage(edge: Edge, subscription: Subscription, message: SubscribedMessage): void {
  const [, , , recovered, epoch, head, page] = message;
  const isFirst = !subscription.hasStarted;
  subscription.hasStarted = true;
  subscription.epoch = epoch;
  if (recovered === false) {
    if (page.length === 0) return deliverLost(edge, subscription, epoch, head);
    subscription.recovered = false;
  } else if (isFirst) {
    if (recovered) subscription.recovered = true;
    if (epoch !== null) subscription.acknowledged = page[0] ? page[0][0] - 1 : head;
  }
  for (const one of page) {
    const isState = recovered === false && epoch !== null;
    if (isState) deliverState(edge, subscription, epoch, [head, one[1], one[2], one[3]]);
    else {
      const delivery = edge.fanOut.delivery(subscription.source.shown, epoch, one);
      subscription.session.deliver(subscription, delivery);
    }
    if (subscription.session.phase === 'closed') return;
  }
}

/** The gap can't be filled whole: said at once, with where the stream stands. */
export function deliverLost(
  edge: Edge,
  subscription: Subscription,
  epoch: string | null,
  head: number,
): void {
  subscription.recovered = false;
  deliverState(edge, subscription, epoch, [head, {}, noBody, true]);
}

/** Something that stands for all up to its place, and is not the message of that place. */
function deliverState(
  edge: Edge,
  subscription: Subscription,
  epoch: string | null,
  message: StreamMessage,
): void {
  const { session, source } = subscription;
  const notice = edge.fanOut.notice(source.shown, epoch, message);
  // At once, as later messages of the stream must come after it; a large one is no sign of a slow client.
  session.backlog.allow(message[2].length);
  session.deliver(subscription, notice);
}

export function startRefused(edge: Edge, subscription: Subscription, refusal: Refusal): void {
  if (subscription.phase !== 'ended') edge.drop(subscription);
  subscription.session.refuse(refusal, subscription.source.shown, subscription.receipt);
  edge.conflation.settled(subscription);
}
