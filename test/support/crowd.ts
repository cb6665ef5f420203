// Users of our client who talk, edit, count and take jobs at once, and everything that each of them hears.
import { expect } from 'vitest';
import type { Chance } from '../../bench/lib/chance.ts';
import type { ChatMessage, ClientOptions, InventoryChange, PresenceChange } from '../../src/client/index.ts';
import { CrowdEditors } from './crowd-editors.ts';
import { Jobs } from './crowd-jobs.ts';
import { connectOurs, type OurClient } from './our-client.ts';
import type { TestServer } from './server.ts';
import { Watch } from './watch.ts';

/** A user, and the socket of that user's page; a WebSocket unless given. */
export interface Someone {
  readonly name: string;
  readonly socket?: ClientOptions['socket'];
}

/** One thing that was heard on a stream, and its place there. */
interface Heard {
  readonly seq: number;
  readonly what: string;
}

/** Above the longest that a connection may seem well that is not. */
const patienceMs = 30_000;
const unanswered = 6;
const products = ['lamp', 'chair'] as const;

/** Sends one after the other until it is over, some unanswered at a time. @returns how many. */
async function keepSending(
  isOver: () => boolean,
  send: (number: number) => Promise<unknown>,
): Promise<number> {
  const underWay = new Set<Promise<unknown>>();
  let number = 0;
  while (!isOver()) {
    number += 1;
    const one = send(number).finally(() => underWay.delete(one));
    underWay.add(one);
    if (underWay.size >= unanswered) await Promise.race(underWay);
  }
  await Promise.all(underWay);
  return number;
}

export class Crowd {
  readonly clients = new Map<string, OurClient>();
  /** Things heard up to now, by anybody. */
  heard = 0;
  /** What must not be: refusals, gaps that can't be filled. */
  readonly complaints: string[] = [];
  readonly #streams = new Map<string, Heard[]>();
  readonly #watch = new Watch(() => this.#describe());
  readonly #server: () => TestServer;
  readonly #chance: Chance;
  readonly #editors: CrowdEditors;
  readonly #jobs = new Jobs(() => this.#changed());
  readonly #presence = new Map<string, PresenceChange>();
  readonly #rooms: string[] = [];
  #isOver = false;
  #work: Promise<Sent> | null = null;

  /** @param server the one that runs now. */
  constructor(server: () => TestServer, chance: Chance) {
    this.#server = server;
    this.#chance = chance;
    this.#editors = new CrowdEditors(chance, (complaint) => this.complaints.push(complaint));
  }

  /** Connects all and begins to listen. The first four talk, edit and take jobs, the last one counts. */
  async gather(people: readonly Someone[], options: Partial<ClientOptions>): Promise<void> {
    for (const { name, socket } of people) {
      const own = socket ? { socket } : {};
      const client = await connectOurs(this.#server(), name, { ...options, ...own, roles: ['service'] });
      client.onRefusal(({ code, message }) => this.complaints.push(`${name}: ${code} ${message}`));
      client.onState(({ name: state }) => state === 'failed' && this.complaints.push(`${name} has failed`));
      this.clients.set(name, client);
    }
    for (const room of ['one', 'two']) this.#rooms.push((await this.#client(0).rooms.create(room)).roomId);
    for (const product of products) {
      const request = { user: 'someone', roles: ['service'], body: { quantity: 0 } };
      await this.#server().rest('PUT', `/api/inventory/${product}`, request);
    }
    for (const [name, client] of this.clients) this.#listen(name, client);
    const [first, second, third, fourth] = this.clients.values();
    await this.#editors.open([first, second, third, fourth].filter((one) => one !== undefined));
    for (const client of [second, third]) if (client) this.#jobs.take(client);
    this.#jobs.oversee(this.#client(this.clients.size - 1));
    for (const other of this.clients.keys()) {
      first?.presences.watch(other, (change) => {
        this.#presence.set(other, change);
        this.#changed();
      });
    }
    // Asked after everything else: all of it is live when that is answered.
    await Promise.all([...this.clients.values()].map((one) => one.topics.publish('/topic/ready', 'ready')));
  }

  begin(): void {
    this.#work = this.#atWork();
    // Told by `check`, unless the test has failed before.
    this.#work.catch(() => undefined);
  }

  /** Resolves when so many more things were heard. */
  async moreHeard(count: number): Promise<void> {
    const enough = this.heard + count;
    await this.#watch.until(() => this.heard >= enough, `${count} more things heard`, patienceMs);
  }

  /** Lets all finish what they do, and holds what was heard against what was sent. */
  async check(): Promise<void> {
    this.#isOver = true;
    const sent = await (this.#work as Promise<Sent>);
    for (const [stream, numbers] of sent.streams) await this.#checkStream(stream, numbers);
    await this.#checkStock(sent.stock);
    await this.#until(() => this.#jobs.settled === sent.jobs, `all ${sent.jobs} jobs are settled`);
    expect(this.#jobs.faults).toEqual([]);
    await this.#editors.check(this.#server());
    const names = [...this.clients.keys()];
    await this.#until(
      () => names.every((name) => this.#presence.get(name)?.sessions === 1),
      'each is there once',
    );
    for (const client of this.clients.values()) {
      await client.is('connected');
      expect(client.waiting).toBe(0);
    }
    expect(this.complaints).toEqual([]);
  }

  #client(index: number): OurClient {
    return [...this.clients.values()][index] as OurClient;
  }

  #until(holds: () => boolean, what: string): Promise<void> {
    return this.#watch.until(holds, what, patienceMs);
  }

  #changed(): void {
    this.heard += 1;
    this.#watch.changed();
  }

  #listen(name: string, client: OurClient): void {
    const missed = (stream: string) => (): void =>
      void this.complaints.push(`${name} missed some of ${stream}`);
    const note = (stream: string): ((one: Heard) => void) => {
      const notes: Heard[] = [];
      this.#streams.set(`${stream} ${name}`, notes);
      return (one) => {
        notes.push(one);
        this.#changed();
      };
    };
    for (const roomId of this.#rooms) {
      const told = note(`room ${roomId}`);
      client.rooms.room(roomId).onMessage({
        message: ({ seq, senderId, content }: ChatMessage) => told({ seq, what: `${senderId} ${content}` }),
        missed: missed(roomId),
        refused: ({ code }) => this.complaints.push(`${name}: ${roomId} ${code}`),
      });
    }
    const toldOfTopic = note('topic news');
    client.topics.on('/topic/news', {
      message: ({ body, headers }) => toldOfTopic({ seq: Number(headers['seq']), what: body }),
      missed: missed('news'),
    });
    const toldOfUser = note(`notes ${name}`);
    client.notifications.onNotification({
      notification: ({ message }) => toldOfUser({ seq: Number(message.split(' ')[1]), what: message }),
      missed: missed('notifications'),
    });
    const toldOfStock = note('stock');
    client.inventory.watch({
      list: (list) => list.some(({ version }) => version > 1) && missed('stock')(),
      change: ({ productId, version, quantity }: InventoryChange) =>
        toldOfStock({ seq: version, what: `${productId} ${version} ${quantity}` }),
    });
  }

  async #atWork(): Promise<Sent> {
    const isOver = (): boolean => this.#isOver;
    const streams = new Map<string, Map<string, number>>();
    const count = (stream: string, sender: string, numbers: number): void => {
      const senders = streams.get(stream) ?? new Map<string, number>();
      streams.set(stream, senders.set(sender, numbers));
    };
    const people = [...this.clients].slice(0, 4);
    const talk = people.flatMap(([name, client]) =>
      this.#rooms.map(async (roomId) => {
        const room = client.rooms.room(roomId);
        count(`room ${roomId}`, name, await keepSending(isOver, (number) => room.send(String(number))));
      }),
    );
    const [author, client] = people[3] as [string, OurClient];
    const news = async (): Promise<void> => {
      const say = (number: number): Promise<void> =>
        client.topics.publish('/topic/news', `${author} ${number}`);
      count('topic news', author, await keepSending(isOver, say));
    };
    const notes = async (): Promise<void> => {
      const all = await this.#notify(isOver);
      for (const name of this.clients.keys()) count(`notes ${name}`, 'note', all);
    };
    const [stock, jobs] = await Promise.all([
      this.#stock(isOver),
      keepSending(isOver, (number) => client.topics.publish('/queue/jobs', String(number))),
      this.#editors.work(isOver),
      news(),
      notes(),
      ...talk,
    ]);
    return { streams, stock, jobs };
  }

  /** By a service of its own, which asks again under the same key while it gets no answer. */
  async #notify(isOver: () => boolean): Promise<number> {
    const userIds = [...this.clients.keys()];
    let number = 0;
    while (!isOver()) {
      number += 1;
      const body = { userIds, type: 'INFO', message: `note ${number}` };
      const headers = { 'idempotency-key': `note-${number}` };
      const request = { user: 'notifier', roles: ['service'], body, headers };
      for (let status = 0; status !== 201;) {
        const answer = await this.#server()
          .rest('POST', '/api/notifications', request)
          .catch(() => null);
        status = answer?.status ?? 0;
        // Away: somebody hears something when it is back.
        if (status !== 201) await this.moreHeard(1);
      }
      await this.moreHeard(userIds.length * 5).catch(() => undefined);
    }
    return number;
  }

  async #stock(isOver: () => boolean): Promise<Map<string, number>> {
    const counter = this.#client(this.clients.size - 1);
    const sums = new Map<string, number>();
    await keepSending(isOver, (number) => {
      const product = products[number % products.length] as string;
      const delta = 1 + this.#chance.below(9);
      sums.set(product, (sums.get(product) ?? 0) + delta);
      return counter.inventory.update(product, { delta });
    });
    return sums;
  }

  async #checkStream(stream: string, numbers: ReadonlyMap<string, number>): Promise<void> {
    const total = [...numbers.values()].reduce((sum, one) => sum + one, 0);
    const all = [...this.#streams].filter(([name]) => name.startsWith(`${stream} `));
    await this.#until(() => all.every(([, heard]) => heard.length >= total), `all of ${stream}`);
    const [[, first] = ['', []]] = all;
    expect(all.length, stream).toBeGreaterThan(0);
    expect(first.map(({ seq }) => seq)).toEqual(Array.from({ length: total }, (_, index) => index + 1));
    for (const [name, heard] of all) expect(heard, name).toEqual(first);
    for (const [sender, count] of numbers) {
      const own = first.map(({ what }) => what).filter((what) => what.startsWith(`${sender} `));
      expect(own).toEqual(Array.from({ length: count }, (_, index) => `${sender} ${index + 1}`));
    }
  }

  async #checkStock(sums: ReadonlyMap<string, number>): Promise<void> {
    for (const [product, sum] of sums) {
      const { body } = await this.#server().rest('GET', `/api/inventory/${product}`, { user: 'someone' });
      expect(body).toMatchObject({ quantity: sum });
      const { version } = body as { version: number };
      for (const [name, heard] of this.#streams) {
        if (!name.startsWith('stock ')) continue;
        const own = (): Heard[] => heard.filter(({ what }) => what.startsWith(`${product} `));
        await this.#until(() => own().length >= version - 1, `all of ${product} for ${name}`);
        expect(own().map(({ seq }) => seq)).toEqual(
          Array.from({ length: version - 1 }, (_, index) => index + 2),
        );
      }
    }
  }

  #describe(): string {
    const lengths = [...this.#streams].map(([name, heard]) => `${name}: ${heard.length}`);
    const states = [...this.clients].map(
      ([name, { state, waiting }]) => `${name}: ${state.name}, ${waiting} wait`,
    );
    const presence = [...this.#presence].map(([name, { sessions }]) => `${name} has ${sessions}`);
    return [...states, ...lengths, ...presence, ...this.complaints, this.#jobs.describe()].join('\n');
  }
}

interface Sent {
  /** For each stream how many were sent by whom. */
  readonly streams: ReadonlyMap<string, ReadonlyMap<string, number>>;
  readonly stock: ReadonlyMap<string, number>;
  readonly jobs: number;
}
