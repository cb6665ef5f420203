// Clients that put jobs into queues and work on them while their server is killed under them, and remember what they
// were promised.
import type { TestServer } from './server.ts';
import { connectStomp, isMessageOf, RefusedError, type ReceivedFrame, type TestClient } from './stomp.ts';

/** Jobs that each client has under way at once. */
const lanes = 4;
const prefetch = 10;
/** Jobs of a queue that a client keeps in one life: with a window full of them it would be given no more. */
const keptMax = prefetch / 2;

/** What all clients know of all jobs, over all lives of the server. */
export class Ledger {
  /** Whose SEND got a RECEIPT. */
  readonly stored = new Set<string>();
  /** Whose ACK got a RECEIPT. */
  readonly done = new Set<string>();
  /** Whose ACK was sent: they may be done, and may come again. */
  readonly doubtful = new Set<string>();
  /** How often given to somebody, in any life. */
  readonly seen = new Map<string, number>();
  /** Who holds a job in this life. */
  readonly holders = new Map<string, string>();
  /** Whose ACK was sent in this life: while the server lives it counts. */
  readonly acknowledged = new Set<string>();
  /** What went wrong; empty while all promises are kept. */
  readonly faults: string[] = [];

  /** The server has ended, and everybody's connection with it. */
  ended(): void {
    this.holders.clear();
    this.acknowledged.clear();
  }

  /** Stored, and not done as far as anybody was told. */
  left(): string[] {
    return [...this.stored].filter((text) => !this.done.has(text) && !this.doubtful.has(text));
  }

  took(worker: string, { body, headers }: ReceivedFrame): void {
    const holder = this.holders.get(body);
    if (holder !== undefined) this.faults.push(`${body} went to ${worker} while ${holder} held it`);
    if (this.done.has(body) || this.acknowledged.has(body))
      this.faults.push(`${body} came again after its ACK`);
    if (this.seen.has(body) && headers['redelivered'] !== 'true') {
      this.faults.push(`${body} came again and does not say so`);
    }
    this.glimpsed(body);
    this.holders.set(body, worker);
  }

  /** It came to somebody who can't hold it any more. */
  glimpsed(body: string): void {
    this.seen.set(body, (this.seen.get(body) ?? 0) + 1);
  }

  /** A worker let go of a job, or is about to. */
  letGo(body: string): void {
    this.holders.delete(body);
  }
}

/** A user who sends jobs, and works on some of them, over all lives of the server. */
export class KillWorker {
  /** Called for every job that comes. */
  onJob: () => void = () => undefined;
  readonly #user: string;
  readonly #queues: readonly string[];
  readonly #ledger: Ledger;
  /** Sent and not receipted: sent again after a kill, under the same key. */
  readonly #pending = new Map<string, string>();
  #client: TestClient | null = null;
  #sent = 0;
  #taken = 0;
  #looked = 0;
  /** Jobs kept in this life, by queue. */
  readonly #kept = new Map<string, number>();

  constructor(user: string, queues: readonly string[], ledger: Ledger) {
    this.#user = user;
    this.#queues = queues;
    this.#ledger = ledger;
  }

  /** Connects, sends again what was not receipted, and takes jobs. */
  async comeBack(server: TestServer): Promise<void> {
    const client = await connectStomp(server, { user: this.#user });
    this.#client = client;
    this.#looked = 0;
    this.#kept.clear();
    client.socket.on('message', () => this.#work());
    await Promise.all([...this.#pending].map(([text, queue]) => this.#send(text, queue)));
    for (const queue of this.#queues) {
      await client.subscribe(queue, { ack: 'client-individual', 'prefetch-count': `${prefetch}` });
    }
  }

  /** Sends until the connection ends. */
  async sendUntilKilled(onSend: () => void): Promise<void> {
    const lane = async (): Promise<void> => {
      for (;;) {
        this.#sent += 1;
        const text = `${this.#user} ${this.#sent}`;
        const queue = this.#queues[this.#sent % this.#queues.length] as string;
        this.#pending.set(text, queue);
        const sent = this.#send(text, queue);
        onSend();
        await sent;
      }
    };
    const ends = await Promise.allSettled(Array.from({ length: lanes }, lane));
    for (const end of ends) {
      const reason: unknown = end.status === 'rejected' ? end.reason : null;
      if (reason instanceof RefusedError) this.#ledger.faults.push(`${this.#user}: ${reason.message}`);
    }
    await this.#client?.closed;
  }

  /** Leaves in good order. */
  async leave(): Promise<void> {
    await this.#client?.disconnect();
  }

  async #send(text: string, queue: string): Promise<void> {
    const headers = { destination: queue, 'idempotency-key': text };
    await this.#client?.request('SEND', headers, text);
    this.#pending.delete(text);
    this.#ledger.stored.add(text);
  }

  /** Whether there is room to keep one more job of the queue. */
  #keeps(queue: string): boolean {
    const kept = this.#kept.get(queue) ?? 0;
    if (kept < keptMax) this.#kept.set(queue, kept + 1);
    return kept < keptMax;
  }

  /** Of every seven jobs five are done, one is given back and one is kept, or done when enough are kept. */
  #work(): void {
    const client = this.#client as TestClient;
    for (; this.#looked < client.frames.length; this.#looked += 1) {
      const frame = client.frames[this.#looked] as ReceivedFrame;
      if (!this.#queues.some((queue) => isMessageOf(queue)(frame))) continue;
      this.#ledger.took(this.#user, frame);
      this.onJob();
      this.#taken += 1;
      const { body, headers } = frame;
      const id = headers['ack'] ?? '';
      if (this.#taken % 7 === 0 && this.#keeps(headers['destination'] ?? '')) continue;
      this.#ledger.letGo(body);
      if (this.#taken % 7 === 1) client.sendFrame('NACK', { id });
      else {
        this.#ledger.doubtful.add(body);
        this.#ledger.acknowledged.add(body);
        client.request('ACK', { id }).then(
          () => this.#ledger.done.add(body),
          // The server is gone: nobody knows.
          () => undefined,
        );
      }
    }
  }
}
