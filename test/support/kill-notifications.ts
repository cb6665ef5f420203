// Notifications for several users at once while the server is ended; those who get them mark them as read, one by one.
import { expect } from 'vitest';
import type { DatabaseRow } from './database.ts';
import type { Followed, Follower } from './follower.ts';
import { expectKept, expectOnce, type Load } from './kill-rounds.ts';
import { shop } from './orders.ts';
import { bodyOf, Participant } from './participant.ts';
import { range } from './rooms.ts';
import { parse } from './stomp.ts';

interface Request {
  readonly userIds: readonly string[];
  readonly message: string;
}

interface Sent {
  readonly notificationId: string;
  readonly userId: string;
}

interface Mark {
  readonly notificationId: string;
  readonly readAt: string;
}

const queue = '/user/queue/notifications';
const readQueue = '/user/queue/notification.read';

function followedNotifications(user: string): Followed {
  const said = (id: unknown, message: unknown, createdAt: unknown): string =>
    JSON.stringify([id, message, createdAt]);
  return {
    destination: queue,
    textOf(frame) {
      const { notificationId, message, createdAt } = parse(frame);
      return said(notificationId, message, createdAt);
    },
    stored: (database) =>
      database.notifications(user).map((row) => ({
        seq: Number(row['seq']),
        text: said(row['notification_id'], row['message'], row['created_at']),
      })),
  };
}

/** Sends each message to another choice of the users. */
function sender(user: string, users: readonly string[]): Participant<Request> {
  return new Participant<Request>({
    user,
    roles: shop.roles,
    lanes: 3,
    next: (_self, number) => ({
      userIds: users.filter((_user, index) => ((number % (2 ** users.length - 1)) + 1) & (1 << index)),
      message: `${user} ${number}`,
    }),
    async ask({ server }, key, { userIds, message }) {
      const headers = { 'idempotency-key': key };
      const body = { userIds, type: 'NEWS', message };
      const request = { user, roles: shop.roles, headers, body };
      return bodyOf(await server.rest('POST', '/api/notifications', request), 201);
    },
  });
}

/** Marks what it gets as read, in the order in which it comes. */
function reader(user: string): Participant<string> {
  return new Participant({
    user,
    follows: [followedNotifications(user)],
    hears: [readQueue],
    lanes: 1,
    async next({ followers }, number) {
      const { text } = await (followers[0] as Follower).sight(number - 1);
      const [notificationId] = JSON.parse(text) as [string];
      return notificationId;
    },
    ask: ({ client }, _key, notificationId) => client.send(`/app/notification.read/${notificationId}`),
  });
}

/** One request has notified all its users once each, or nobody. */
function checkRequest({ userIds, message }: Request, answer: unknown, rows: readonly DatabaseRow[]): void {
  const stored = rows.map((row) => `${String(row['user_id'])} ${String(row['notification_id'])}`).toSorted();
  if (answer !== undefined) {
    const sent = (answer as Sent[]).map(({ userId, notificationId }) => `${userId} ${notificationId}`);
    expect(stored, message).toEqual(sent.toSorted());
  } else if (stored.length === 0) return;
  const notified = rows.map((row) => String(row['user_id'])).toSorted();
  expect(notified, message).toEqual(userIds.toSorted());
}

export function notificationsLoad(): Load {
  const users = range(1, 4).map((number) => `reader-${number}`);
  const senders = [sender('sender-1', users), sender('sender-2', users)];
  const readers = users.map(reader);
  return {
    participants: [...senders, ...readers],
    check(database) {
      const rows = database.rows('SELECT * FROM notifications');
      const byMessage = new Map<unknown, DatabaseRow[]>(rows.map(({ message }) => [message, []]));
      for (const row of rows) byMessage.get(row['message'])?.push(row);
      for (const { answered, pending } of senders) {
        for (const { what, answer } of answered.values()) {
          checkRequest(what, answer, byMessage.get(what.message) ?? []);
        }
        for (const what of pending.values()) checkRequest(what, undefined, byMessage.get(what.message) ?? []);
      }
      const read = rows.filter((row) => row['is_read'] === 1);
      const marks = read.map((row) => `${String(row['notification_id'])} ${String(row['read_at'])}`);
      const readIds = expectOnce(read.map((row) => String(row['notification_id'])));
      for (const { answered, heard } of readers) {
        expectKept(
          Array.from(answered.values(), ({ what }) => what),
          readIds,
        );
        const told = heard.flatMap((one) => one.get(readQueue) ?? []).map((body) => JSON.parse(body) as Mark);
        const toldMarks = told.map(({ notificationId, readAt }) => `${notificationId} ${readAt}`);
        expectKept(expectOnce(toldMarks), new Set(marks));
      }
    },
  };
}
