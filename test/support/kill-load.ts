// Clients that send and read while their server is killed under them, and remember what they were promised.
import type { DatabaseView } from './database.ts';
import { seqOf } from './rooms.ts';
import type { TestServer } from './server.ts';
import { connectStomp, isMessageOf, RefusedError, type ReceivedFrame, type TestClient } from './stomp.ts';
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
  /** All that was seen, over all connections. */
  readonly sights = new Map<TestStream, Sight[]>();
  /** What went wrong; empty while all promises are kept. */
  readonly faults: string[] = [];
  /** Called for every frame that comes once the client is back. */
  onFrame: () => void = () => undefined;
  readonly #user: string;
  readonly #streams: readonly TestStream[];
  readonly #places = new Map<TestStream, Place>();
  /** Sent and not acknowledged yet. Sent again after a kill, under the same key. */
  readonly #pending = new Map<string, TestStream>();
  /** Messages of the present connection that are noted. */
  readonly #collected = new Map<TestStream, number>();
  #client: TestClient | null = null;
  #sent = 0;

  constructor(user: string, streams: readonly TestStream[]) {
    this.#user = user;
    this.#streams = streams;
    for (const stream of streams) this.sights.set(stream, []);
  }

  /** Resolves when the client is back and has got what it missed. */
  async comeBack(server: TestServer): Promise<void> {
    const client = await connectStomp(server, { user: this.#user });
    this.#client = client;
    this.#collected.clear();
    for (const stream of this.#streams) {
      const place = this.#places.get(stream);
      const resume = place ? `${place.epoch}:${place.seq}` : 'from now';
      await client.subscribe(stream.destination, { resume });
      this.#collect(stream);
    }
    client.socket.on('message', () => this.onFrame());
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

  /** Notes the messages that came since the last time; each must be the one after the one before. */
  #collect(stream: TestStream): void {
    const frames = this.#client?.frames.filter(isMessageOf(stream.destination)) ?? [];
    const collected = this.#collected.get(stream) ?? 0;
    for (const [index, frame] of frames.entries()) {
      if (index >= collected) this.#note(stream, frame, index === 0);
    }
    this.#collected.set(stream, frames.length);
  }

  #note(stream: TestStream, frame: ReceivedFrame, isFirst: boolean): void {
    const place = this.#places.get(stream);
    const { epoch = '', recovered } = frame.headers;
    const seq = seqOf(frame);
    this.#places.set(stream, { epoch, seq });
    const where = `${this.#user}, ${stream.destination}`;
    if (!place) {
      if (recovered !== 'false') this.faults.push(`${where}: not told where the stream stands`);
      return;
    }
    if (recovered !== (isFirst ? 'true' : undefined)) {
      this.faults.push(`${where}: ${seq} has recovered:${recovered}`);
    }
    if (seq !== place.seq + 1 || epoch !== place.epoch) {
      this.faults.push(`${where}: after ${place.epoch}:${place.seq} came ${epoch}:${seq}`);
    }
    this.sights.get(stream)?.push({ seq, text: stream.textOf(frame) });
  }
}
