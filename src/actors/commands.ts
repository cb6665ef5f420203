// How a command becomes a turn: decode, once only, rows it needs, the turn itself.
import { Refusal } from '../errors.ts';
import { ToEdge } from '../link/messages.ts';
import type { Query } from '../storage/storage.ts';
import type { Command } from './actor.ts';
import type { Cell, Item } from './cell.ts';
import { keyLifetimeMs, Seen, seenKeysMax, type CommandKey } from './seen.ts';
import type { Runtime } from './runtime.ts';
import type { Turn } from './turn.ts';

type CommandItem = Extract<Item, { type: 'command' }>;

/** A command on its way to its turn. */
interface Attempt {
  readonly cell: Cell;
  readonly item: CommandItem;
  readonly command: Command<never>;
  readonly body: never;
  readonly key: CommandKey | null;
}

export function receiveCommand(runtime: Runtime, cell: Cell, item: CommandItem): void {
  const [, , , name, asker, params, headerKey, headers, bytes, isText] = item.message;
  const command = cell.kind.commands[name];
  if (!command) throw new Refusal('NOT_FOUND', `Nothing handles ${name}.`);
  const body = command.decode({ bytes, isText, headers }) as never;
  const key = headerKey ?? command.idempotencyKey?.(body) ?? null;
  const attempt: Attempt = {
    cell,
    item,
    command,
    body,
    // An actor may have many destinations for one command: each has its own keys.
    key:
      key === null
        ? null
        : { command: [name, ...Object.values(params ?? {})].join(' '), user: asker[0], key },
  };
  if (attempt.key) onceOnly(runtime, attempt, attempt.key);
  else withRows(runtime, attempt);
}

/** Goes on unless the command was applied before; asks the database only for what memory can't tell. */
function onceOnly(runtime: Runtime, attempt: Attempt, key: CommandKey): void {
  const { cell, item } = attempt;
  const now = runtime.now();
  const since = now - keyLifetimeMs;
  if (!cell.seen) {
    const query: Query = {
      name: 'idempotencyKeys',
      args: { actor: cell.key, since, limit: seenKeysMax },
    };
    runtime.hold(cell, item, query, (rows) => {
      cell.seen = new Seen(rows);
      onceOnly(runtime, attempt, key);
    });
    return;
  }
  const seen = cell.seen.has(key, now);
  if (seen === true) return repeated(runtime, attempt);
  if (seen === false) return withRows(runtime, attempt);
  const query: Query = {
    name: 'idempotencyKey',
    args: {
      actor: cell.key,
      command: key.command,
      userId: key.user,
      idempotencyKey: key.key,
      since,
    },
  };
  runtime.hold(cell, item, query, (rows) => {
    if (rows.length > 0) repeated(runtime, attempt);
    else withRows(runtime, attempt);
  });
}

/** The same answer as the first time, and after it: the first may still wait for its commit. */
function repeated(runtime: Runtime, { cell, item }: Attempt): void {
  runtime.emit(cell, item.edge, [ToEdge.reply, item.message[1], null]);
}

function withRows(runtime: Runtime, attempt: Attempt): void {
  const { cell, item, command, body } = attempt;
  const turn = runtime.turn(cell, item.message[4], item.message[5]);
  const query = command.query?.(cell.state as never, body, turn);
  if (!query) return receive(runtime, attempt, turn, [] as never);
  runtime.hold(cell, item, query, (rows) => {
    receive(runtime, attempt, runtime.turn(cell, item.message[4], item.message[5]), rows as never);
  });
}

function receive(
  runtime: Runtime,
  { cell, item, command, body, key }: Attempt,
  turn: Turn,
  rows: never,
): void {
  command.receive(cell.state as never, body, turn, rows);
  if (key) {
    turn.write({
      op: 'upsert',
      table: 'idempotency_keys',
      row: {
        actor: cell.key,
        command: key.command,
        user_id: key.user,
        idempotency_key: key.key,
        created_at: turn.now,
      },
    });
    cell.seen?.add(key, turn.now);
  }
  runtime.finish(cell, turn, item.message[8].length);
  const answer = turn.answer?.bytes ?? null;
  runtime.emit(cell, item.edge, [ToEdge.reply, item.message[1], answer], answer?.length ?? 0);
}
