// Random rows of every table for the model test: few values, so that rows meet.
import fc from 'fast-check';
import type { TableName, Tables } from '../../src/storage/tables.ts';
import { noon } from './rows.ts';

// Among them: a NUL, halves of surrogate pairs, and two that sort differently by UTF-16 unit and by code point.
export const rooms = ['r1', 'R1', 'r\0'];
export const users = ['ann', '\uD800', '\uFF5E', '\u{1F600}'];
export const topics = ['t1', 't2'];
export const things = ['x1', '\uFF5E', '\u{1F600}'];
export const names = ['n1', ''];
export const messageIds = ['m1', 'm2', 'm3', 'm4', 'm5', 'm6'];

const text = fc.constantFrom('', 'a', '\'"\\', '\u{1F600}', '\uDC00\0');
const amount = fc.constantFrom(0, 1, -1, Number.MAX_SAFE_INTEGER);
const maybeText = fc.option(text);
export const time = fc.integer({ min: -3, max: 3 }).map((offset) => noon + offset);
const maybeTime = fc.option(time);
export const seq = fc.integer({ min: 0, max: 6 });
export const roomId = fc.constantFrom(...rooms);
export const user = fc.constantFrom(...users);
export const topic = fc.constantFrom(...topics);
export const thing = fc.constantFrom(...things);
const name = fc.constantFrom(...names);
const messageId = fc.constantFrom(...messageIds);
const body = fc.uint8Array({ maxLength: 4 });
const badTime = fc.constant(Number.NaN);
const mostlyTime = fc.oneof({ weight: 20, arbitrary: time }, { weight: 1, arbitrary: badTime });
const key = { actor: roomId, command: name, user_id: user, idempotency_key: name, created_at: mostlyTime };

export const rows: { readonly [Name in TableName]: fc.Arbitrary<Tables[Name]> } = {
  chat_rooms: fc.record({
    room_id: roomId,
    name: text,
    created_by: user,
    is_private: fc.boolean(),
    created_at: time,
    updated_at: maybeTime,
    epoch: text,
  }),
  chat_room_members: fc.record({ room_id: roomId, user_id: user, role: text, joined_at: time }),
  chat_messages: fc.record({
    message_id: messageId,
    room_id: roomId,
    sender_id: user,
    content: text,
    message_type: text,
    status: fc.constantFrom('SENT', 'READ'),
    created_at: time,
    updated_at: maybeTime,
    seq,
  }),
  chat_read_positions: fc.record({ room_id: roomId, user_id: user, seq, read_at: time }),
  topics: fc.record({ topic, epoch: text, created_at: time }),
  topic_messages: fc.record({
    topic,
    seq,
    sender_id: user,
    headers: maybeText,
    body,
    is_text: fc.boolean(),
    created_at: time,
  }),
  durable_positions: fc.record({
    user_id: user,
    name,
    destination: topic,
    epoch: text,
    seq,
    updated_at: time,
  }),
  idempotency_keys: fc.record(key),
  command_answers: fc.record({ ...key, answer: text }),
  streams: fc.record({ stream: topic, epoch: text, seq }),
  notifications: fc.record({
    notification_id: messageId,
    user_id: user,
    type: text,
    message: text,
    reference_id: maybeText,
    is_read: fc.boolean(),
    created_at: mostlyTime,
    read_at: maybeTime,
    seq,
  }),
  orders: fc.record({
    order_id: thing,
    user_id: user,
    status: text,
    estimated_delivery: maybeTime,
    current_location: maybeText,
    created_at: time,
    updated_at: time,
    version: seq,
  }),
  order_changes: fc.record({
    order_id: thing,
    version: seq,
    status: text,
    estimated_delivery: maybeTime,
    current_location: maybeText,
    changed_by: user,
    changed_at: time,
  }),
  products: fc.record({
    product_id: thing,
    name: maybeText,
    quantity: amount,
    version: seq,
    updated_at: time,
  }),
  inventory_changes: fc.record({
    stream: topic,
    seq,
    product_id: thing,
    quantity: amount,
    urgent: fc.boolean(),
    version: seq,
    created_at: time,
  }),
  prices: fc.record({
    symbol: thing,
    price: text,
    open: text,
    day: text,
    volume: amount,
    updated_at: time,
  }),
  portfolios: fc.record({ user_id: user, holdings: text, updated_at: time }),
  last_seen: fc.record({ user_id: user, last_seen: time }),
  documents: fc.record({ doc_id: thing, epoch: text, created_at: time }),
  document_operations: fc.record({
    doc_id: thing,
    revision: seq,
    operation_id: text,
    user_id: user,
    base_revision: seq,
    changes: text,
    undoes: fc.option(seq),
    is_undone: fc.boolean(),
    created_at: time,
  }),
  document_snapshots: fc.record({ doc_id: thing, revision: seq, content: text, created_at: time }),
  queue_messages: fc.record({
    message_id: messageId,
    queue: topic,
    position: seq,
    sender_id: user,
    headers: maybeText,
    body,
    is_text: fc.boolean(),
    tries: seq,
    created_at: time,
  }),
  replay_acks: fc.record({ user_id: user, room_id: roomId, ranges: text, updated_at: time }),
  actor_snapshots: fc.record({ actor: thing, body, created_at: time }),
};
