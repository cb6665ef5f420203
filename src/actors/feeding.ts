// Streams that other actors append to, in their own transactions: the owner hears of it, reads what is new, and
// publishes it. So one order holds for all, and what was committed is published even when the word of it was lost and
// came with the next.
import { Refusal } from '../errors.ts';
import { ToEdge } from '../link/messages.ts';
import type { AnyKind, StreamLog } from './actor.ts';
import type { Cell, Item } from './cell.ts';
import type { Runtime } from './runtime.ts';
import { fillDestination } from './turn.ts';

const pageRows = 200;

/** The kind's streams that others append to. */
export function fedStreams(kind: AnyKind): [name: string, log: StreamLog<never>][] {
  return Object.entries(kind.streams).flatMap(([name, { log }]) => (log?.advance ? [[name, log]] : []));
}

/**
 * The state is new.
 *
 * @returns streams whose live subscribers have not been sent all that it holds.
 */
export function fedAfterLoad(cell: Cell): string[] {
  const behind: string[] = [];
  for (const [name, log] of fedStreams(cell.kind)) {
    const { epoch, newest } = log.head(cell.state as never);
    const before = cell.subscribers.empty ? undefined : cell.fed?.get(name);
    // A stream without messages may have had another epoch, which nobody has stored.
    const isSame = before !== undefined && (before.epoch === epoch || before.seq === 0);
    (cell.fed ??= new Map()).set(name, { epoch, seq: isSame ? before.seq : newest });
    if (isSame && before.seq < newest) behind.push(name);
  }
  return behind;
}

/** Publishes what is beyond the last message published. */
export function receiveFeed(runtime: Runtime, cell: Cell, item: Extract<Item, { type: 'feed' }>): void {
  const stream = cell.kind.streams[item.stream];
  const log = stream?.log;
  if (!stream || !log?.advance) throw new Refusal('NOT_FOUND', `Nobody can append to ${item.stream}.`);
  const head = log.head(cell.state as never);
  const from = cell.fed?.get(item.stream)?.seq ?? head.newest;
  runtime.hold(cell, item, log.after(cell.id, from, pageRows), (rows) => {
    // The first message ever may have come with an epoch that only a load finds.
    if (rows.length > 0 && head.newest === 0) return runtime.reload(cell, item);
    const destination = fillDestination(stream.destination, cell.id, {});
    for (const row of rows) {
      const message = log.message(row);
      log.advance?.(cell.state as never, row);
      cell.fed?.set(item.stream, { epoch: head.epoch, seq: message[0] });
      runtime.publish(cell, [ToEdge.publish, destination, head.epoch, message, false]);
    }
    if (rows.length === pageRows) receiveFeed(runtime, cell, item);
  });
}
