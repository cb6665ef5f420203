// SUBSCRIBE to an answer: a command whose answer is the one MESSAGE of the subscription.
import type { Refusal } from '../errors.ts';
import { ask, prepare, type Asked } from './asking.ts';
import type { Edge } from './edge.ts';
import { checkInFlight } from './sends.ts';
import type { Session } from './session.ts';
import type { Waiting } from './shard-port.ts';
import { startRefused } from './starts.ts';
import type { Subscription } from './subscription.ts';

const noBody = new Uint8Array(0);

/**
 * What is asked by subscribing to that destination; null when it is no answer.
 *
 * @throws Refusal for what can be told without the actor.
 */
export function askedBy(edge: Edge, session: Session, destination: string): Asked | null {
  if (!destination.startsWith('/app/')) return null;
  const mark = destination.indexOf('?');
  const path = mark === -1 ? destination : destination.slice(0, mark);
  const found = edge.routes.find('SUBSCRIBE', path);
  if (!found?.route.isAnswer) return null;
  const query = mark === -1 ? '' : destination.slice(mark + 1);
  checkInFlight(edge, session);
  return prepare({ found, asker: session.asker, query, key: null, body: noBody });
}

export function askAnswer(edge: Edge, subscription: Subscription, asked: Asked): void {
  const waiting = new AnswerWaiting(edge, subscription, asked.commands.length);
  subscription.session.backlog.answers.enter(() => ask(edge, asked, waiting));
}

class AnswerWaiting implements Waiting {
  readonly #edge: Edge;
  readonly #subscription: Subscription;
  readonly #count: number;

  constructor(edge: Edge, subscription: Subscription, count: number) {
    this.#edge = edge;
    this.#subscription = subscription;
    this.#count = count;
    subscription.session.inFlight += count;
  }

  answered(body: Uint8Array | null): void {
    const { backlog } = this.#subscription.session;
    const { unreadBytesMax } = this.#edge.config;
    backlog.handOver(body?.length ?? 0, unreadBytesMax / 2, () => this.#deliver(body ?? noBody));
  }

  refused(refusal: Refusal): void {
    startRefused(this.#edge, this.#subscription, refusal);
    this.#settled();
  }

  #deliver(body: Uint8Array): void {
    const { session, source, receipt, phase } = this.#subscription;
    if (phase === 'starting') {
      this.#subscription.phase = 'live';
      const delivery = this.#edge.fanOut.delivery(source.shown, null, [0, null, body, true]);
      session.deliver(this.#subscription, delivery);
    }
    session.receipt(receipt);
    this.#settled();
  }

  #settled(): void {
    const { session } = this.#subscription;
    session.settled(this.#count);
    session.backlog.answers.done();
  }
}
