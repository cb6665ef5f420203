// How a subscription starts: admission, the messages it missed, and the first live one, in one order with the
// actor's turns, so that there is neither a gap nor a repeat between them.
import { Refusal } from '../errors.ts';
import { ToEdge, type Recovered, type StreamMessage } from '../link/messages.ts';
import type { Head, Stream, StreamLog } from './actor.ts';
import type { Cell, Item } from './cell.ts';
import type { Runtime } from './runtime.ts';
import type { Turn } from './turn.ts';

type ItemOf<Type extends Item['type']> = Extract<Item, { type: Type }>;
type Starting = ItemOf<'subscribe'> | ItemOf<'replay'>;

/** A message of a stream. */
interface Position {
  readonly epoch: string;
  readonly seq: number;
}

const pageMessagesMax = 200;
const pageBytesMax = 256 * 1024;

function streamOf(cell: Cell, name: string): Stream<never> {
  const stream = cell.kind.streams[name];
  if (!stream) throw new Refusal('NOT_FOUND', `Nothing serves ${name}.`);
  return stream;
}

const headOf = (cell: Cell, log: StreamLog<never>): Head => log.head(cell.state as never);

export function receiveSubscribe(runtime: Runtime, cell: Cell, item: ItemOf<'subscribe'>): void {
  const [, , , name, destination, asker, params, from] = item.message;
  const stream = streamOf(cell, name);
  stream.admit?.(cell.state as never, runtime.turn(cell, asker, params, item.edge));
  const log = stream.log;
  if (from === null) return goLive(runtime, cell, item, null);
  if (from[0] === 'since') return goLive(runtime, cell, item, null, from[1]);
  if (from[0] === 'consume') throw new Refusal('BAD_REQUEST', `${destination} is no queue.`);
  if (!log && from[0] === 'durable') {
    throw new Refusal('BAD_REQUEST', `No position can be kept for ${destination}.`);
  }
  if (!log || from[0] === 'lost') return goLive(runtime, cell, item, false);
  if (from[0] === 'resume') return startAfter(runtime, cell, item, { epoch: from[1], seq: from[2] });

  const args = { userId: asker[0], name: from[1], destination };
  const told = (rows: readonly never[]): void => {
    const [kept] = rows as readonly Position[];
    const found = kept !== undefined && canResume(headOf(cell, log), kept);
    if (found) return startAfter(runtime, cell, item, kept);
    // A new name starts now, and so does one whose messages are gone: from here on nothing is missed again.
    const start = runtime.turn(cell, asker, params);
    const head = headOf(cell, log);
    log.keep?.(cell.state as never, start);
    keepPosition(start, args, { epoch: head.epoch, seq: head.newest });
    runtime.finish(cell, start, 0);
    goLive(runtime, cell, item, kept === undefined ? null : false);
  };
  // The database has the last word, as what is shared may be old. Old or not, it never lies beyond what was acknowledged.
  runtime.hold(cell, item, { name: 'durablePosition', args }, told, async () => {
    const shared = (await runtime.shared?.position(args.userId, args.name, destination)) ?? null;
    return shared && cell.state !== undefined && canResume(headOf(cell, log), shared)
      ? [shared as never]
      : null;
  });
}

export function receiveReplay(runtime: Runtime, cell: Cell, item: ItemOf<'replay'>): void {
  const [, , , name, , asker, params, epoch, seq] = item.message;
  streamOf(cell, name).admit?.(cell.state as never, runtime.turn(cell, asker, params));
  startAfter(runtime, cell, item, { epoch, seq });
}

/** Whether every message after that one is kept. */
function canResume(head: Head, position: Position): boolean {
  return position.epoch === head.epoch && position.seq >= head.oldest - 1 && position.seq <= head.newest;
}

function startAfter(runtime: Runtime, cell: Cell, item: Starting, position: Position): void {
  const log = streamOf(cell, item.message[3]).log;
  if (!log || !canResume(headOf(cell, log), position)) return goLive(runtime, cell, item, false);
  if (position.seq === headOf(cell, log).newest) return goLive(runtime, cell, item, true);
  const limit = cell.pageRows ?? pageMessagesMax;
  runtime.hold(cell, item, log.after(cell.id, position.seq, limit), (rows) => {
    const page: StreamMessage[] = [];
    let bytes = 0;
    for (const row of rows) {
      const message = log.message(row);
      // What others have appended lately is published to all when the actor hears of it.
      if (message[0] > headOf(cell, log).newest) break;
      page.push(message);
      bytes += message[2].length;
      if (bytes >= pageBytesMax) break;
    }
    // Rows beyond a full page were read in vain, and those of one actor are mostly of one size.
    cell.pageRows = bytes >= pageBytesMax ? page.length : Math.min(2 * limit, pageMessagesMax);
    // Rows may have gone without the actor. Asked again they would not be there either.
    if (page[0]?.[0] !== position.seq + 1) return goLive(runtime, cell, item, false);
    // The actor took no turn while the rows were read, so a page that reaches its newest message misses none.
    const head = headOf(cell, log);
    const last = page.at(-1)?.[0] ?? position.seq;
    const live = last >= head.newest;
    const { message, edge } = item;
    const start = [ToEdge.subscribed, message[1], live, true, head.epoch, last, page] as const;
    runtime.emitStart(cell, edge, message[4], start, bytes);
  });
}

/** @param after the place of a conflated stream that was seen. */
function goLive(runtime: Runtime, cell: Cell, item: Starting, recovered: Recovered, after = 0): void {
  const { message, edge } = item;
  const [, number, , name, destination, asker, params] = message;
  const stream = streamOf(cell, name);
  const head = stream.log ? headOf(cell, stream.log) : null;
  const asksPresent = head === null || recovered === false;
  const turn = runtime.turn(cell, asker, params, edge);
  const present = asksPresent ? stream.present?.(cell.state as never, turn, after) : undefined;
  // Whoever is told this place resumes from it, and has nothing else to go by where there is no state to be told.
  if (recovered === false && !stream.present) stream.log?.keep?.(cell.state as never, turn);
  if (present || turn.writes.length > 0) runtime.finish(cell, turn, 0);
  const place = head?.newest ?? present?.upto ?? 0;
  const isLive = head !== null || present?.isWhole !== false;
  const page = present?.bodies.map(({ bytes, isText }): StreamMessage => [place, null, bytes, isText]) ?? [];
  const bytes = page.reduce((sum, [, , body]) => sum + body.length, 0);
  const start = [ToEdge.subscribed, number, isLive, recovered, head?.epoch ?? null, place, page] as const;
  runtime.emitStart(cell, edge, destination, start, bytes);
}

export function receiveAcknowledge(runtime: Runtime, cell: Cell, item: ItemOf<'acknowledge'>): void {
  const [, request, , destination, asker, name, epoch, seq] = item.message;
  const turn = runtime.turn(cell, asker, null);
  keepPosition(turn, { userId: asker[0], name, destination }, { epoch, seq });
  runtime.finish(cell, turn, 0);
  runtime.emit(cell, item.edge, [ToEdge.reply, request, null]);
}

function keepPosition(
  turn: Turn,
  { userId, name, destination }: { userId: string; name: string; destination: string },
  { epoch, seq }: Position,
): void {
  const row = { user_id: userId, name, destination, epoch, seq, updated_at: turn.now };
  turn.write({ op: 'upsert', table: 'durable_positions', row });
  turn.share(['position', userId, name, destination, epoch, seq]);
}

/**
 * The edge goes on with its live subscriptions; what was committed since it last heard goes to it alone, page by
 * page, and before anything newer.
 */
export function receiveRejoin(runtime: Runtime, cell: Cell, item: ItemOf<'rejoin'>): void {
  const [op, actor, name, destination, params, count, epoch, after] = item.message;
  const stream = streamOf(cell, name);
  const log = stream.log;
  const head = log && epoch !== null ? headOf(cell, log) : null;
  // A stream without messages may never have stored its epoch: then all there is came later.
  const isSame = head !== null && (head.epoch === epoch || after === 0);
  if (!log) presentAgain(runtime, cell, item);
  if (!log || !isSame || after >= head.newest) return cell.subscribers.rejoined(destination, item.edge);
  runtime.hold(cell, item, log.after(cell.id, after, pageMessagesMax), (rows) => {
    let last = head.newest;
    for (const row of rows) {
      const message = log.message(row);
      if (message[0] > head.newest) break;
      last = message[0];
      const publish = [ToEdge.publish, destination, head.epoch, message, stream.plain === true] as const;
      runtime.emit(cell, item.edge, publish, message[2].length);
    }
    const message = [op, actor, name, destination, params, count, head.epoch, last] as const;
    receiveRejoin(runtime, cell, { ...item, message });
  });
}

/** The subscribers of a conflated stream catch up as one that was left out does: with what has changed since. */
function presentAgain(runtime: Runtime, cell: Cell, item: ItemOf<'rejoin'>): void {
  const [, , name, destination, params, , , seen] = item.message;
  const stream = streamOf(cell, name);
  if (!stream.conflated) return;
  for (let after = seen; ;) {
    const turn = runtime.turn(cell, ['', []], params, item.edge);
    const present = stream.present?.(cell.state as never, turn, after);
    if (!present) return;
    runtime.finish(cell, turn, 0);
    after = present.upto;
    for (const { bytes, isText } of present.bodies) {
      const message = [present.upto, null, bytes, isText] as const;
      runtime.emit(cell, item.edge, [ToEdge.publish, destination, null, message, false], bytes.length);
    }
    if (present.isWhole) return;
  }
}
