// One user's subscription to a resumable destination over all lives of the server: where it got to, and all it saw.
import type { DatabaseView } from './database.ts';
import { seqOf } from './rooms.ts';
import { isMessageOf, type ReceivedFrame, type TestClient } from './stomp.ts';

/** A message by its place in the stream and by what it says. */
export interface Sight {
  readonly seq: number;
  readonly text: string;
}

export interface Followed {
  readonly destination: string;
  /** What a MESSAGE says, in the form of `stored`; not asked of the one that tells where the stream stands. */
  readonly textOf: (frame: ReceivedFrame) => string;
  /** All that the database holds of it, in the order of seq. */
  readonly stored: (database: DatabaseView) => readonly Sight[];
}

interface Place {
  readonly epoch: string;
  readonly seq: number;
}

export class Follower {
  readonly followed: Followed;
  /** All that was seen since the first subscription, over all connections. */
  readonly sights: Sight[] = [];
  /** The body that told where the stream stood at the first subscription. */
  start = '';
  readonly #who: string;
  readonly #faults: string[];
  #place: Place | null = null;
  #client: TestClient | null = null;
  /** Frames of the present connection that were looked at, and messages among them. */
  #looked = 0;
  #messages = 0;

  /** @param faults gets what went wrong. */
  constructor(followed: Followed, user: string, faults: string[]) {
    this.followed = followed;
    this.#who = `${user}, ${followed.destination}`;
    this.#faults = faults;
  }

  /** The newest message that was seen or named; 0 before the first. */
  get seq(): number {
    return this.#place?.seq ?? 0;
  }

  /** Resolves when all that was missed has come. */
  async comeBack(client: TestClient): Promise<void> {
    this.#client = client;
    this.#looked = 0;
    this.#messages = 0;
    const resume = this.#place ? `${this.#place.epoch}:${this.#place.seq}` : 'from now';
    await client.subscribe(this.followed.destination, { resume });
    this.look();
  }

  /** Notes the messages that came since the last look; each must be the one after the one before. */
  look(): void {
    const frames = this.#client?.frames ?? [];
    const isOurs = isMessageOf(this.followed.destination);
    for (; this.#looked < frames.length; this.#looked += 1) {
      const frame = frames[this.#looked] as ReceivedFrame;
      if (!isOurs(frame)) continue;
      this.#messages += 1;
      this.#note(frame, this.#messages === 1);
    }
  }

  /** What was seen as that number, from 0; waits until it comes, and rejects when the connection ends first. */
  async sight(index: number): Promise<Sight> {
    this.look();
    while (this.sights.length <= index) {
      await this.#client?.messages(this.followed.destination, this.#messages + 1);
      this.look();
    }
    return this.sights[index] as Sight;
  }

  /** Compares what was seen with what is stored. */
  check(stored: readonly Sight[]): void {
    for (const { seq, text } of this.sights) {
      const kept = stored[seq - 1]?.text;
      if (kept !== text) this.#faults.push(`${this.#who}: saw ${seq} "${text}", stored is "${kept}"`);
    }
  }

  #note(frame: ReceivedFrame, isFirst: boolean): void {
    const place = this.#place;
    const { epoch = '', recovered } = frame.headers;
    const seq = seqOf(frame);
    this.#place = { epoch, seq };
    if (place?.seq === 0 && seq === 0 && isFirst && recovered === 'false') {
      // Nothing of this stream was committed, its epoch neither: it begins again, and nothing can be missing from it.
      this.start = frame.body;
      return;
    }
    if (!place) {
      if (recovered !== 'false') this.#faults.push(`${this.#who}: not told where the stream stands`);
      this.start = frame.body;
      return;
    }
    if (recovered !== (isFirst ? 'true' : undefined)) {
      this.#faults.push(`${this.#who}: ${seq} has recovered:${recovered}`);
    }
    if (seq !== place.seq + 1 || epoch !== place.epoch) {
      this.#faults.push(`${this.#who}: after ${place.epoch}:${place.seq} came ${epoch}:${seq}`);
    }
    if (recovered !== 'false') this.sights.push({ seq, text: this.followed.textOf(frame) });
  }
}
