// Plain topics, queues, and the queues of users.
import type { StagewireError } from './error.ts';
import type { Stop } from './listeners.ts';
import type { Messaging, SendOptions } from './messaging.ts';
import { presentOf, type Message, type PlaceListeners } from './subscription.ts';

/** With wildcards `live` is told after every loss, and `missed` never. */
export interface TopicListeners extends PlaceListeners {
  readonly message: (message: Message) => void;
  /** It can't go on: the server's refusal. The client's `onRefusal` is told without it. */
  readonly refused?: (error: StagewireError) => void;
}

export interface QueueListeners {
  /** Acknowledge it, or give it back; until then it is with this consumer. */
  readonly message: (message: Message) => void;
  /** It can't go on: the server's refusal. The client's `onRefusal` is told without it. */
  readonly refused?: (error: StagewireError) => void;
}

const isPattern = (topic: string): boolean => /[*?]|\{[^{}]+\}/.test(topic);

export class Topics {
  readonly #client: Messaging;

  constructor(client: Messaging) {
    this.#client = client;
  }

  /**
   * Resolves when the message is stored. A body that JSON can't say rejects with BAD_REQUEST.
   *
   * @param topic such as `/topic/news`.
   */
  publish(topic: string, body: unknown, options?: SendOptions): Promise<void> {
    return this.#client.send(topic, body, options);
  }

  /** Every message from `live` on, once and in order. With wildcards what is missed during a loss is missed. */
  on(topic: string, listeners: TopicListeners): Stop {
    const { message, live, refused } = listeners;
    const isResumable = !isPattern(topic);
    const begins = isResumable ? { present: presentOf(listeners) } : live ? { live } : {};
    return this.#client.subscribe(
      topic,
      { message, ...begins, ...(refused ? { refused } : {}) },
      { isResumable },
    );
  }

  /** Takes messages of a queue, at most `prefetch` at a time. @param queue such as `/queue/jobs`. */
  consume(queue: string, events: QueueListeners, prefetch?: number): Stop {
    const window = prefetch === undefined ? {} : { 'prefetch-count': String(prefetch) };
    return this.#client.subscribe(queue, events, { headers: { ack: 'client-individual', ...window } });
  }

  /** To all sessions of a user that listen. */
  sendTo(user: string, queue: string, body: unknown): Promise<void> {
    return this.#client.send(
      `/user/${user.replaceAll('%', '%25').replaceAll('/', '%2F')}/queue/${queue}`,
      body,
    );
  }

  /** What others send to the user's own queue. */
  onOwn(queue: string, listener: (message: Message) => void): Stop {
    return this.#client.subscribe(`/user/queue/${queue}`, { message: listener });
  }
}
