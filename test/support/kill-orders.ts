// Orders that couriers change and owners track while the server is ended. Each change gives the order a status that
// no other gives it, so a status stands for a version.
import { expect } from 'vitest';
import type { DatabaseRow, DatabaseView } from './database.ts';
import { expectKept, expectOnce, type Load } from './kill-rounds.ts';
import { createOrder, shop } from './orders.ts';
import { bodyOf, Participant } from './participant.ts';
import { range } from './rooms.ts';
import type { TestServer } from './server.ts';
import { parse, type ReceivedFrame } from './stomp.ts';

interface Change {
  readonly orderId: string;
  readonly status: string;
}

/** What is told of an order, and what is answered to a change. */
interface Told extends Change {
  readonly lastUpdated: string;
}

const queue = '/user/queue/order.status';

function courier(user: string, orderIds: readonly string[]): Participant<Change> {
  return new Participant({
    user,
    roles: shop.roles,
    lanes: 3,
    next: (_self, number) => ({
      orderId: orderIds[number % orderIds.length] as string,
      status: `${user} ${number}`,
    }),
    async ask({ server }, key, { orderId, status }) {
      const headers = { 'idempotency-key': key };
      const request = { user, roles: shop.roles, headers, body: { status } };
      return bodyOf(await server.rest('PATCH', `/api/orders/${orderId}`, request), 200);
    },
  });
}

/** One session of an owner, who tracks orders and changes nothing. */
class Owner {
  readonly participant: Participant<never>;
  readonly #orderIds: readonly string[];
  /** What tracking was answered, connection by connection. */
  readonly #tracked: Map<string, Told>[] = [];

  constructor(user: string, orderIds: readonly string[]) {
    this.#orderIds = orderIds;
    this.participant = new Participant({
      user,
      hears: [queue],
      lanes: 0,
      next: () => Promise.reject(new Error('an owner only listens')),
      ask: () => Promise.reject(new Error('an owner only listens')),
      isBack: async ({ client }) => {
        const tracked = orderIds.map(async (orderId): Promise<[string, Told]> => {
          const destination = `/app/order.track/${orderId}`;
          await client.subscribe(destination);
          const [frame] = await client.messages(destination, 1);
          return [orderId, parse(frame as ReceivedFrame) as unknown as Told];
        });
        this.#tracked.push(new Map(await Promise.all(tracked)));
      },
    });
  }

  /** On each connection the status of when it began, and after it one change after the other. */
  check(changes: ReadonlyMap<string, readonly DatabaseRow[]>): void {
    for (const [index, heard] of this.participant.heard.entries()) {
      const told = (heard.get(queue) ?? []).map((body) => JSON.parse(body) as Told);
      for (const orderId of this.#orderIds) {
        const first = this.#tracked[index]?.get(orderId) as Told;
        const all = [first, ...told.filter((one) => one.orderId === orderId)];
        const rows = changes.get(orderId) ?? [];
        const from = rows.findIndex(({ status }) => status === first.status);
        const stored = rows.slice(from, from + all.length);
        expect(all.map(statusAndTime)).toEqual(stored.map(storedStatusAndTime));
      }
    }
  }
}

const statusAndTime = ({ status, lastUpdated }: Told) => ({ status, at: lastUpdated });
const storedStatusAndTime = ({ status, changed_at }: DatabaseRow) => ({ status, at: changed_at });

/** The changes of an order from its first version on; all its versions are there, and the order is as the last left it. */
function changesOf(database: DatabaseView, orderId: string): DatabaseRow[] {
  const rows = database.orderChanges(orderId);
  expect(rows.map(({ version }) => version)).toEqual(range(1, rows.length));
  const [order] = database.rows('SELECT * FROM orders WHERE order_id = ?', orderId);
  const last = rows.at(-1);
  const { status, changed_at: updated_at } = last ?? {};
  expect(order).toMatchObject({ version: rows.length, status, updated_at });
  return rows;
}

export async function ordersLoad(server: TestServer): Promise<Load> {
  const ownedBy = async (user: string): Promise<string[]> => [
    await createOrder(server, user),
    await createOrder(server, user),
  ];
  const owned = { anna: await ownedBy('anna'), bert: await ownedBy('bert') };
  const orderIds = Object.values(owned).flat();
  const couriers = [courier('courier-1', orderIds), courier('courier-2', orderIds)];
  // Two sessions of one of them.
  const owners = [
    new Owner('anna', owned.anna),
    new Owner('bert', owned.bert),
    new Owner('bert', owned.bert),
  ];
  return {
    participants: [...couriers, ...owners.map(({ participant }) => participant)],
    check(database) {
      const changes = new Map(orderIds.map((orderId) => [orderId, changesOf(database, orderId)]));
      for (const owner of owners) owner.check(changes);
      for (const [orderId, rows] of changes) {
        const stored = expectOnce(
          rows.map(({ status, changed_at }) => `${String(status)} ${String(changed_at)}`),
        );
        for (const { answered } of couriers) {
          const answers = Array.from(answered.values(), ({ answer }) => answer as Told);
          const promised = answers.filter((answer) => answer.orderId === orderId);
          expectKept(
            promised.map(({ status, lastUpdated }) => `${status} ${lastUpdated}`),
            stored,
          );
        }
      }
      for (const { answered } of couriers) {
        for (const { what, answer } of answered.values()) expect(answer).toMatchObject(what);
      }
    },
  };
}
