// Jobs of a queue, taken by several: each is done, and one that comes twice says so. One whose takers have lost their
// connections five times is put aside by the server, and is there.
import type { Message } from '../../src/client/index.ts';
import type { OurClient } from './our-client.ts';

const prefetch = 4;

export class Jobs {
  readonly faults: string[] = [];
  readonly #taken = new Set<string>();
  readonly #aside = new Set<string>();
  readonly #changed: () => void;
  #again = 0;

  constructor(changed: () => void) {
    this.#changed = changed;
  }

  /** Jobs that were taken or put aside. */
  get settled(): number {
    return new Set([...this.#taken, ...this.#aside]).size;
  }

  /** Sees what is put aside. */
  oversee(client: OurClient): void {
    client.topics.consume('/queue/jobs.dead', {
      message: (job) => {
        this.#aside.add(job.body);
        job.ack();
        this.#changed();
      },
    });
  }

  take(client: OurClient): void {
    client.topics.consume('/queue/jobs', { message: (job) => this.#came(job) }, prefetch);
  }

  describe(): string {
    return `${this.#taken.size} jobs taken, ${this.#again} again, ${this.#aside.size} put aside`;
  }

  #came(job: Message): void {
    const isAgain = this.#taken.has(job.body);
    if (isAgain) this.#again += 1;
    if (isAgain && job.headers['redelivered'] !== 'true') this.faults.push(`${job.body} came twice`);
    this.#taken.add(job.body);
    job.ack();
    this.#changed();
  }
}
