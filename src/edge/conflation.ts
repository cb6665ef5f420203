// Conflated streams, whose older messages are worth nothing: a subscription that reads too slowly is left out of what
// is published, and is told what has changed meanwhile when its client has read on. So such a stream never closes a
// connection.
import type { Edge } from './edge.ts';
import type { Channel } from './fan-out.ts';
import type { Session } from './session.ts';
import type { Subscription } from './subscription.ts';

/** What a frame has besides its body, about. */
const frameHeadBytes = 256;

export class Conflation {
  readonly #edge: Edge;
  #turn = 0;
  #turnEnds = false;

  constructor(edge: Edge) {
    this.#edge = edge;
  }

  /** To be called before a body is published to a conflated channel. */
  publishing(channel: Channel, bodyBytes: number): void {
    this.#noteTurn();
    const { conflateBytesMax } = this.#edge.config;
    for (const subscription of channel.subscriptions) {
      const { backlog } = subscription.session;
      if (backlog.exceeds(conflateBytesMax, this.#turn, bodyBytes + frameHeadBytes)) {
        this.#leaveOut(subscription, channel.seq);
      }
    }
  }

  /** A subscription has started, or will not any more: whoever waits for that is next. */
  settled(subscription: Subscription): void {
    const { session } = subscription;
    if (session.behind?.[0] === subscription) this.#catchUp(session);
  }

  #leaveOut(subscription: Subscription, seq: number): void {
    const { session, source } = subscription;
    this.#edge.fanOut.remove(subscription, true);
    this.#edge.portOf(source.actor).unsubscribe(subscription);
    subscription.phase = 'behind';
    subscription.from = ['since', seq];
    if (session.behind) session.behind.push(subscription);
    else {
      session.behind = [subscription];
      this.#catchUp(session);
    }
  }

  /** One after another: the answers to all at once might be more than a client may leave unread. */
  #catchUp(session: Session): void {
    const queue = session.behind;
    if (!queue) return;
    while (queue[0] && queue[0].phase !== 'behind' && queue[0].phase !== 'starting') queue.shift();
    const [next] = queue;
    if (!next) session.behind = null;
    else if (next.phase === 'behind') {
      session.backlog.whenRead(this.#edge.config.conflateBytesMax / 2, () => {
        if (session.phase === 'closed' || session.behind !== queue) return;
        if (next.phase !== 'behind') return this.#catchUp(session);
        next.phase = 'starting';
        this.#edge.portOf(next.source.actor).subscribe(next);
      });
    }
  }

  #noteTurn(): void {
    if (this.#turnEnds) return;
    this.#turnEnds = true;
    setImmediate(() => {
      this.#turnEnds = false;
      this.#turn += 1;
    });
  }
}
