// Jobs of a queue, taken by several: each is done, and one that comes twice says so.
import type { Message } from '../../src/client/index.ts';
import type { OurClient } from './our-client.ts';

const prefetch = 4;

export class Jobs {
  readonly faults: string[] = [];
  readonly #taken = new Set<string>();
  readonly #changed: () => void;
  #again = 0;

  constructor(changed: () => void) {
    this.#changed = changed;
  }

  get taken(): number {
    return this.#taken.size;
  }

  take(client: OurClient): void {
    client.topics.consume('/queue/jobs', { message: (job) => this.#came(job) }, prefetch);
  }

  describe(): string {
    return `${this.#taken.size} jobs taken, ${this.#again} again`;
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
