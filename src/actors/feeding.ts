// Streams that are published from their rows. Those that other actors append to, in their own transactions: the owner
// hears of it, reads what is new, and publishes it; so one order holds for all, and what was committed is published even
// when the word of it was lost and came with the next. And every other stream after a commit of which nobody knows what
// became: what it was to publish was withheld, and may be committed all the same.
import { Refusal } from '../errors.ts';
import { ToEdge, type PublishMessage } from '../link/messages.ts';
import type { AnyKind, Stream, StreamLog } from './actor.ts';
import type { Cell, Item } from './cell.ts';
import type { Runtime } from './runtime.ts';
import { fillDestination } from './turn.ts';

const pageRows = 200;

/** The kind's streams that others append to. */
export function fedStreams(kind: AnyKind): [name: string, log: StreamLog<never>][] {
  return Object.entries(kind.streams).flatMap(([name, { log }]) => (log?.advance ? [[name, log]] : []));
}

/**
 * A message was withheld because its commit failed. Whatever the database holds from its place on is published when the
 * state is loaded again.
 *
 * @returns the stream; null for one without a log.
 */
export function withheld(cell: Cell, [, destination, epoch, [seq]]: PublishMessage): string | null {
  if (epoch === null) return null;
  const isIts = ([, stream]: [string, Stream<never>]): boolean =>
    stream.log !== undefined && fillDestination(stream.destination, cell.id, {}) === destination;
  const [name] = Object.entries(cell.kind.streams).find(isIts) ?? [];
  if (name === undefined) return null;
  const before = cell.fed?.get(name);
  if (before === undefined || before.seq >= seq) {
    (cell.fed ??= new Map()).set(name, { epoch, seq: seq - 1 });
  }
  return name;
}

/**
 * The state is new.
 *
 * @returns streams whose live subscribers have not been sent all that it holds.
 */
export function fedAfterLoad(cell: Cell): string[] {
  const behind: string[] = [];
  for (const [name, { log }] of Object.entries(cell.kind.streams)) {
    if (!log || (!log.advance && !cell.fed?.has(name))) continue;
    const { epoch, newest } = log.head(cell.state as never);
    // Wildcards hear of a stream that has no subscribers of its own.
    const isHeard = !log.advance || !cell.subscribers.empty;
    const before = isHeard ? cell.fed?.get(name) : undefined;
    // A stream without messages may have had another epoch, which nobody has stored.
    const isSame = before !== undefined && (before.epoch === epoch || before.seq === 0);
    const isBehind = isSame && before.seq < newest;
    if (isBehind) behind.push(name);
    if (isBehind || log.advance) {
      (cell.fed ??= new Map()).set(name, { epoch, seq: isSame ? before.seq : newest });
    } else cell.fed?.delete(name);
  }
  return behind;
}

/** Publishes what is beyond the last message published. */
export function receiveFeed(runtime: Runtime, cell: Cell, item: Extract<Item, { type: 'feed' }>): void {
  const stream = cell.kind.streams[item.stream];
  const log = stream?.log;
  if (!stream || !log) throw new Refusal('NOT_FOUND', `Nothing is kept of ${item.stream}.`);
  const head = log.head(cell.state as never);
  const from = cell.fed?.get(item.stream)?.seq ?? head.newest;
  if (!log.advance && from >= head.newest) {
    cell.fed?.delete(item.stream);
    return;
  }
  runtime.hold(cell, item, log.after(cell.id, from, pageRows), (rows) => {
    // The first message ever may have come with an epoch that only a load finds.
    if (rows.length > 0 && head.newest === 0) return runtime.reload(cell, item);
    const destination = fillDestination(stream.destination, cell.id, {});
    for (const row of rows) {
      const message = log.message(row);
      if (!log.advance && message[0] > head.newest) break;
      log.advance?.(cell.state as never, row);
      cell.fed?.set(item.stream, { epoch: head.epoch, seq: message[0] });
      runtime.publish(cell, [ToEdge.publish, destination, head.epoch, message, stream.plain === true]);
    }
    if (rows.length === pageRows) receiveFeed(runtime, cell, item);
    else if (!log.advance) cell.fed?.delete(item.stream);
  });
}
