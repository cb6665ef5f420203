// Clients that send and read while their server is killed under them, and remember what they were promised.
import { systemClock } from '../../src/lib/clock.ts';
import type { DatabaseView } from './database.ts';
import { seqOf } from './rooms.ts';
import type { TestServer } from './server.ts';
import { connectStomp, isMessageOf, RefusedError, type TestClient } from './stomp.ts';
import type { TestStream } from './streams.ts';

/** Messages that each client has under way at once. */
const lanes = 6;

interface Place {
  epoch: string;
  seq: number;
}

/** What a client saw of one stream, in the order in which it saw it. */
interface Sight {
  readonly seq: number;
  readonly text: string;
}

/** One user over all lives of the server. */
export class Participant {
  /** Texts whose SEND got a RECEIPT. */
  readonly acknowledged = new Set<string>();
  readonly sights = new Map<TestStream, Sight[]>();
  /** What went wrong; empty while all promises are kept. */
  readonly faults: string[] = [];
  readonly #user: string;
  readonly #streams: readonly TestStream[];
  readonly #places = new Map<TestStream, Place>();
  /** Sent and not acknowledged yet. Sent again after a kill, under the same key. */
  readonly #pending = new Map<string, TestStream>();
  #client: TestClient | null = null;
  #sent = 0;

  constructor(user: string, streams: readonly TestStream[]) {
    this.#user = user;
    this.#streams = streams;
    for (const stream of streams) this.sights.set(stream, []);
  }

  /** Resolves when the client is back and has got what it missed. `onFrame` hears of every frame from then on. */
  async comeBack(server: TestServer, onFrame: () => void): Promise<void> {
    const client = await connectStomp(server, { user: this.#user });
    this.#client = client;
    for (const stream of this.#streams) {
      const place = this.#places.get(stream);
      const resume = place ? `${place.epoch}:${place.seq}` : 'from now';
      await client.subscribe(stream.destination, { resume });
      this.#collect(stream);
    }
    client.socket.on('message', onFrame);
  }

  /** How far this client has come in the stream. */
  seqOf(stream: TestStream): number {
    return this.#places.get(stream)?.seq ?? 0;
  }

  /** Sends again what was not acknowledged. */
  async repeat(): Promise<void> {
    await Promise.all([...this.#pending].map(([text, stream]) => this.#send(text, stream)));
  }

  /** Sends until the connection ends. */
  async sendUntilKilled(onSend: () => void): Promise<void> {
    const lane = async (): Promise<void> => {
      for (;;) {
        this.#sent += 1;
        const stream = this.#streams[this.#sent % this.#streams.length] as TestStream;
        const text = `${this.#user} ${this.#sent}`;
        this.#pending.set(text, stream);
        const sent = this.#send(text, stream);
        onSend();
        await sent;
      }
    };
    const ends = await Promise.allSettled(Array.from({ length: lanes }, lane));
    for (const end of ends) {
      const reason: unknown = end.status === 'rejected' ? end.reason : null;
      if (reason instanceof RefusedError) this.faults.push(`${this.#user}: ${reason.message}`);
    }
    await this.#client?.closed;
    for (const stream of this.#streams) this.#collect(stream);
  }

  /** Leaves in good order. */
  async leave(): Promise<void> {
    await this.#client?.disconnect();
    for (const stream of this.#streams) this.#collect(stream);
  }

  /** Compares what was promised with what the database holds. */
  check(database: DatabaseView): void {
    for (const stream of this.#streams) {
      const stored = stream.stored(database);
      for (const { seq, text } of this.sights.get(stream) ?? []) {
        const kept = stored[seq - 1]?.text;
        if (kept !== text) this.faults.push(`${this.#user} saw ${seq} "${text}", stored is "${kept}"`);
      }
    }
  }

  async #send(text: string, stream: TestStream): Promise<void> {
    const headers = { destination: stream.sendTo, 'idempotency-key': text };
    await this.#client?.request('SEND', headers, stream.body(text));
    this.#pending.delete(text);
    this.acknowledged.add(text);
  }

  /** Notes the messages that came since the last time and must follow on from there. */
  #collect(stream: TestStream): void {
    const frames = this.#client?.frames.filter(isMessageOf(stream.destination)) ?? [];
    const sights = this.sights.get(stream) ?? [];
    for (const [index, frame] of frames.entries()) {
      const place = this.#places.get(stream);
      const { epoch = '', recovered } = frame.headers;
      const seq = seqOf(frame);
      if (place && seq <= place.seq && index < this.#collected(stream)) continue;
      const expected = index > 0 ? undefined : place ? 'true' : 'false';
      if (recovered !== expected) this.faults.push(`${this.#user}: ${seq} has recovered:${recovered}`);
      if (place && (seq !== place.seq + 1 || epoch !== place.epoch)) {
        this.faults.push(`${this.#user}: after ${place.epoch}:${place.seq} came ${epoch}:${seq}`);
      }
      if (recovered !== 'false') sights.push({ seq, text: stream.textOf(frame) });
      this.#places.set(stream, { epoch, seq });
    }
  }
}
