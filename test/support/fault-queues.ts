// Queues that everybody fills and works on while the database is taken away: each message is acknowledged, given back or
// kept, one by one, and in the end every one of them is accounted for.
import { expect } from 'vitest';
import { expectOnce, type Load } from './kill-rounds.ts';
import { Ledger } from './kill-workers.ts';
import { Participant } from './participant.ts';
import { range } from './rooms.ts';
import { isMessageOf, type ReceivedFrame } from './stomp.ts';

type Step =
  | { readonly verb: 'SEND'; readonly queue: string; readonly text: string }
  | { readonly verb: 'ACK' | 'NACK'; readonly id: string; readonly text: string };

const triesMax = 5;
const senderLanes = 1;
const workerLanes = 2;
const prefetch = 10;
/** Nobody can do these, however often they come. */
const poisonEvery = 9;
/** These are given back the first time. */
const hardEvery = 4;

/** What `ask` is to do with a job that came. */
function verbFor(text: string, seen: number): 'ACK' | 'NACK' {
  const number = Number(text.split(' ')[1]);
  return number % poisonEvery === 0 || (number % hardEvery === 0 && seen === 1) ? 'NACK' : 'ACK';
}

class Worker extends Participant<Step> {
  readonly #ledger: Ledger;
  /** Came, and nothing was done about it yet. */
  readonly #hand: ReceivedFrame[];
  readonly #leaves: () => void;

  constructor(user: string, queues: readonly string[], ledger: Ledger) {
    const hand: ReceivedFrame[] = [];
    const settled = new Set<string>();
    let isLeaving = false;
    const put = (number: number): Step => ({
      verb: 'SEND',
      queue: queues[number % queues.length] as string,
      text: `${user} ${number}`,
    });
    const settle = (): Step | null => {
      const frame = hand.shift();
      if (!frame) return null;
      const { body: text, headers } = frame;
      return { verb: verbFor(text, ledger.seen.get(text) ?? 0), id: headers['ack'] ?? '', text };
    };
    super({
      user,
      lanes: senderLanes + workerLanes,
      next: (_self, number, lane) => (lane < senderLanes ? null : settle()) ?? put(number),
      async ask({ client }, key, step) {
        if (step.verb === 'SEND') {
          await client.send(step.queue, step.text, { 'idempotency-key': key });
          ledger.stored.add(step.text);
          return;
        }
        const { verb, id, text } = step;
        // What was answered is asked for again in the end: of these that would be an error.
        if (settled.has(key)) return;
        if (verb === 'ACK') ledger.acknowledged.add(text);
        ledger.letGo(text);
        await client.request(verb, { id });
        settled.add(key);
        if (verb === 'ACK') ledger.done.add(text);
      },
      async isBack({ client }) {
        isLeaving = false;
        let looked = 0;
        client.socket.on('message', () => {
          for (; looked < client.frames.length; looked += 1) {
            const frame = client.frames[looked] as ReceivedFrame;
            if (!queues.some((queue) => isMessageOf(queue)(frame))) continue;
            // On its way while this one left, it may be with another by now.
            if (isLeaving) ledger.glimpsed(frame.body);
            else {
              ledger.took(user, frame);
              hand.push(frame);
            }
          }
        });
        for (const queue of queues) {
          await client.subscribe(queue, { ack: 'client-individual', 'prefetch-count': String(prefetch) });
        }
      },
    });
    this.#ledger = ledger;
    this.#hand = hand;
    this.#leaves = () => (isLeaving = true);
  }

  override async leave(): Promise<void> {
    this.#leaves();
    for (const { body } of this.#hand.splice(0)) this.#ledger.letGo(body);
    await super.leave();
  }
}

export function queuesLoad(queues: readonly string[]): Load {
  const ledger = new Ledger();
  return {
    participants: range(1, 3).map((number) => new Worker(`worker-${number}`, queues, ledger)),
    check(database) {
      expect(ledger.faults).toEqual([]);
      const rows = database.rows('SELECT queue, body, tries FROM queue_messages');
      const textOf = ({ body }: (typeof rows)[number]): string => (body as Buffer).toString();
      const there = expectOnce(rows.map(textOf));
      // What was stored and not done is there, and nothing else.
      const left = [...ledger.stored].filter((text) => !ledger.done.has(text));
      expect([...there].toSorted()).toEqual(left.toSorted());
      const isDead = ({ queue }: (typeof rows)[number]): boolean => String(queue).endsWith('.dead');
      for (const row of rows.filter((one) => !isDead(one))) {
        expect(ledger.seen.get(textOf(row)) ?? 0, textOf(row)).toBeLessThanOrEqual(Number(row['tries']));
      }
      expect([...ledger.seen].filter(([, times]) => times > triesMax)).toEqual([]);
    },
  };
}
