// Queues: `/queue/**`, each message to one subscriber alone. A message is stored until it is acknowledged. Each
// delivery is counted in its row before it leaves, so that after any failure it is known what may have been seen before,
// and a message that is never acknowledged ends as a dead letter, whatever becomes of those who try it.
import { Refusal } from '../../errors.ts';
import type { QueueMessageRow } from '../../storage/tables.ts';
import { command, defineActor, type Consumers, type Context } from '../actor.ts';
import { raw } from '../body.ts';
import { heldOf, QueueState, type QueueHead, type Room } from './queue-state.ts';

const nameCharactersMax = 255;
/** Nobody could subscribe to it by its name. */
const wildcard = /\*|\?|\{[^/{}]+\}/u;
const deadSuffix = '.dead';
const deadFromHeader = 'dead-from';

/** What a queue holds, delivered messages that are not acknowledged among it. One more is refused. */
const queueMax: Room = { count: 100_000, bytes: 256 * 1024 * 1024 };

// Positions grow with the time, so that another actor can give one for its dead letters: odd ones, and the queue's own
// are even. Below 2 ** 53 for the next 80 years.
const positionsPerMs = 2_048;

function ownPosition(newest: number, nowMs: number): number {
  const least = Math.max(newest + 1, nowMs * positionsPerMs);
  return least + (least % 2);
}

function deadPosition(before: number, nowMs: number): number {
  return Math.max(before + 2, nowMs * positionsPerMs + 1);
}

interface Queue {
  readonly messages: QueueState;
  /** The position last given to a dead letter. */
  deadPosition: number;
}

const deadOf = (id: string): string => `${id}${deadSuffix}`;

function refuseName(ctx: Context): void {
  if (ctx.id.length > nameCharactersMax) {
    throw new Refusal('TOO_LARGE', `A queue's name has at most ${nameCharactersMax} characters.`);
  }
  if (wildcard.test(ctx.id)) throw new Refusal('BAD_REQUEST', "A queue's name holds no wildcards.");
}

function refuseWhenFull({ messages }: Queue, ctx: Context, bytes: number): void {
  if (messages.count < queueMax.count && messages.bytes + bytes <= queueMax.bytes) return;
  throw new Refusal('UNAVAILABLE', `/queue/${ctx.id} is full, try again later.`);
}

const headersOf = ({ headers }: QueueMessageRow): Record<string, string> =>
  JSON.parse(headers ?? '{}') as Record<string, string>;

/**
 * Hands out what waits to those who have room.
 *
 * @param stored the one message whose row is not written yet.
 * @returns that row, as it is to be written.
 */
function handOut({ messages }: Queue, ctx: Context, stored: QueueMessageRow | null): QueueMessageRow | null {
  let written = stored;
  for (let handed = messages.next(); handed; handed = messages.next()) {
    const { consumer, row } = handed;
    if (row.message_id === stored?.message_id) written = row;
    else ctx.write({ op: 'upsert', table: 'queue_messages', row });
    ctx.deliver({
      consumer,
      held: heldOf(row),
      redelivered: row.tries > 1,
      headers: headersOf(row),
      body: { bytes: row.body, isText: row.is_text },
    });
  }
  messages.trim();
  return written;
}

/** Moves dead letters to their queue, whose actor then looks for them. */
function bury(queue: Queue, ctx: Context, head: Room): void {
  const { messages } = queue;
  const buried = messages.tookDead(head, queueMax, ctx.now);
  for (const row of buried) {
    queue.deadPosition = deadPosition(queue.deadPosition, ctx.now);
    const headers = JSON.stringify({ ...headersOf(row), [deadFromHeader]: `/queue/${ctx.id}` });
    const moved = { ...row, queue: deadOf(ctx.id), position: queue.deadPosition, tries: 0, headers };
    ctx.write({ op: 'upsert', table: 'queue_messages', row: moved });
  }
  if (buried.length > 0) ctx.feed('queue', deadOf(ctx.id), 'messages');
}

const consumers: Consumers<Queue> = {
  joined(queue, ctx, joined) {
    for (const consumer of joined) queue.messages.join(consumer);
    handOut(queue, ctx, null);
  },

  left(queue, ctx, left) {
    for (const consumer of left) queue.messages.leave(consumer, ctx.now);
    handOut(queue, ctx, null);
  },

  settled(queue, ctx, { consumer, held, isAcknowledged }) {
    for (const one of held) {
      if (isAcknowledged) {
        queue.messages.acknowledge(one);
        ctx.write({ op: 'delete', table: 'queue_messages', key: { message_id: one[0] } });
      } else queue.messages.giveBack(consumer, one, ctx.now);
    }
    handOut(queue, ctx, null);
  },

  wants({ messages }, id) {
    const want = messages.wants();
    if (want?.what === 'dead') return { name: 'queueHead', args: { queue: deadOf(id) } };
    return want && { name: 'queueMessagesAfter', args: { queue: id, after: want.after, limit: want.limit } };
  },

  took(queue, ctx, query, rows) {
    if (query.name === 'queueHead') {
      const [head] = rows as unknown as readonly QueueHead[];
      bury(queue, ctx, head ?? { count: 0, bytes: 0 });
    } else if (query.name === 'queueMessagesAfter') {
      queue.messages.tookPage(rows, query.args.limit, ctx.now);
    }
    handOut(queue, ctx, null);
  },
};

export const queueKind = defineActor({
  name: 'queue',

  load: (id) => ({ head: { name: 'queueHead', args: { queue: id } } }),

  start(id, rows): Queue {
    const head = rows.head[0] ?? { count: 0, bytes: 0, newest: 0 };
    return { messages: new QueueState(head, deadOf(id).length <= nameCharactersMax), deadPosition: 0 };
  },

  streams: {
    messages: { destination: '/queue/{id:**}', admit: (_queue, ctx) => refuseName(ctx) },
  },

  consumers,

  commands: {
    send: command({
      routes: ['SEND /queue/{id:**}'],
      decode: raw,
      receive(queue: Queue, body, ctx) {
        refuseName(ctx);
        refuseWhenFull(queue, ctx, body.bytes.length);
        const { messages } = queue;
        const row: QueueMessageRow = {
          message_id: ctx.newId(),
          queue: ctx.id,
          position: ownPosition(messages.newest, ctx.now),
          sender_id: ctx.user,
          headers: body.headers === null ? null : JSON.stringify(body.headers),
          body: body.bytes,
          is_text: body.isText,
          tries: 0,
          created_at: ctx.now,
        };
        messages.add(row);
        const written = handOut(queue, ctx, row) ?? row;
        ctx.write({ op: 'insert', table: 'queue_messages', row: written });
      },
    }),
  },
});
