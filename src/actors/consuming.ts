// How consumers come, settle what they hold, and go; and how their actor gets the rows that its memory lacks.
import { Refusal } from '../errors.ts';
import { ToEdge, type Asker } from '../link/messages.ts';
import type { Consumers } from './actor.ts';
import type { Cell, Item } from './cell.ts';
import { ConsumerList, consumerKey } from './consumer-list.ts';
import { prefetchDefault } from './route.ts';
import type { Runtime } from './runtime.ts';
import type { Turn } from './turn.ts';

type ItemOf<Type extends Item['type']> = Extract<Item, { type: Type }>;

const nobody: Asker = ['', []];

function hooksOf(cell: Cell): Consumers<never> {
  const hooks = cell.kind.consumers;
  if (!hooks) throw new Refusal('BAD_REQUEST', `${cell.key} has no consumers.`);
  return hooks;
}

/** SUBSCRIBE: live at once, since what waits is kept. */
export function receiveConsume(runtime: Runtime, cell: Cell, item: ItemOf<'subscribe'>): void {
  const [, number, , name, destination, asker, params, from] = item.message;
  if (from !== null && from[0] !== 'consume') {
    throw new Refusal('BAD_REQUEST', `${destination} has no past to go on from.`);
  }
  const turn = runtime.turn(cell, asker, params, item.edge);
  cell.kind.streams[name]?.admit?.(cell.state as never, turn);
  // One that would never settle anything.
  if (!runtime.isThere(item.edge)) return;
  const list = (cell.consumers ??= new ConsumerList());
  const { key } = list.add(item.edge, number, from?.[1] ?? prefetchDefault);
  const start = [ToEdge.subscribed, number, true, null, null, 0, []] as const;
  runtime.emit(cell, item.edge, start, 0, () => list.remove(key));
  if (runtime.handsOut) join(runtime, cell, key);
}

export function receiveJoin(runtime: Runtime, cell: Cell, { key }: ItemOf<'join'>): void {
  if (runtime.handsOut) join(runtime, cell, key);
}

function join(runtime: Runtime, cell: Cell, key: string | null): void {
  const consumers = (cell.consumers?.present() ?? []).filter((one) => key === null || one.key === key);
  if (consumers.length === 0) return;
  run(runtime, cell, (turn) => hooksOf(cell).joined(cell.state as never, turn, consumers));
}

export function receiveLeave(runtime: Runtime, cell: Cell, item: ItemOf<'leave'>): void {
  const keys = item.keys.filter((key) => cell.consumers?.get(key));
  if (keys.length === 0) return;
  for (const key of keys) cell.consumers?.remove(key);
  run(runtime, cell, (turn) => hooksOf(cell).left(cell.state as never, turn, keys));
}

export function receiveSettle(runtime: Runtime, cell: Cell, item: ItemOf<'settle'>): void {
  const [, request, , number, held, isAcknowledged] = item.message;
  const key = consumerKey(item.edge, number);
  const turn = runtime.turn(cell, nobody, null, item.edge);
  hooksOf(cell).settled(cell.state as never, turn, { consumer: key, held, isAcknowledged });
  const its = cell.consumers?.get(key)?.held;
  // Before the turn is finished: it may have given one of them to the same consumer again.
  for (const [id] of held) its?.delete(id);
  runtime.finish(cell, turn, 0);
  runtime.emit(cell, item.edge, [ToEdge.reply, request, null], 0, () => {
    for (const one of held) its?.set(one[0], one);
  });
}

export function receiveWant(runtime: Runtime, cell: Cell, item: ItemOf<'want'>): void {
  if (cell.consumers) cell.consumers.isWanting = false;
  const hooks = hooksOf(cell);
  const query = hooks.wants(cell.state as never, cell.id);
  if (!query) return;
  runtime.hold(cell, item, query, (rows) =>
    run(runtime, cell, (turn) => hooks.took(cell.state as never, turn, query, rows)),
  );
}

/** What a turn has for consumers leaves as all else does; then the state may want more rows. */
export function handOut(runtime: Runtime, cell: Cell, turn: Turn): void {
  const { consumers } = cell;
  if (!consumers) return;
  for (const { consumer: key, held, redelivered, headers, body } of turn.deliveries ?? []) {
    const consumer = consumers.get(key);
    if (!consumer) continue;
    const [id] = held;
    consumer.held.set(id, held);
    const message = [0, headers, body.bytes, body.isText] as const;
    const deliver = [ToEdge.deliver, consumer.number, held, redelivered, message] as const;
    runtime.emit(cell, consumer.edge, deliver, body.bytes.length, () => consumer.held.delete(id));
  }
  if (consumers.isWanting || !cell.kind.consumers?.wants(cell.state as never, cell.id)) return;
  consumers.isWanting = true;
  // In a turn of its own, and never twice in the mailbox.
  queueMicrotask(() => runtime.deliver(cell, { type: 'want' }));
}

function run(runtime: Runtime, cell: Cell, task: (turn: Turn) => void): void {
  const turn = runtime.turn(cell, nobody, null);
  task(turn);
  runtime.finish(cell, turn, 0);
}
