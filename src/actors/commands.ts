// How a command becomes a turn: decode, once only, rows it needs, the turn itself.
import { Refusal } from '../errors.ts';
import { ToEdge, type Params } from '../link/messages.ts';
import type { Query } from '../storage/storage.ts';
import type { Command } from './actor.ts';
import type { Cell, Item } from './cell.ts';
import { keyLifetimeMs, type CommandKey } from './seen.ts';
import type { Runtime } from './runtime.ts';
import type { Turn } from './turn.ts';
import { wordsOf } from './wording.ts';

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
  assertAllowed(command, asker[1]);
  assertParameters(command, params);
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

function assertAllowed({ roles }: Command<never>, has: readonly string[]): void {
  if (!roles || has.some((role) => role === 'admin' || roles.includes(role))) return;
  throw new Refusal('FORBIDDEN', `Only a ${roles.join(' or ')} may do this.`);
}

function assertParameters({ parameters }: Command<never>, params: Params | null): void {
  const error = parameters?.safeParse(params ?? {}, { reportInput: true }).error;
  if (error) throw new Refusal('BAD_REQUEST', wordsOf(error.issues[0]));
}

/** Goes on unless the command was applied before; asks the database only for what memory can't tell. */
function onceOnly(runtime: Runtime, attempt: Attempt, key: CommandKey): void {
  const { cell, item } = attempt;
  const now = runtime.now();
  const since = now - keyLifetimeMs;
  if (!cell.seen) {
    return runtime.remember(cell, item, () => onceOnly(runtime, attempt, key));
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
  const told = (rows: readonly never[]): void => {
    if (rows.length > 0) repeated(runtime, attempt);
    else withRows(runtime, attempt);
  };
  if (runtime.isSettled(cell)) cell.seen.stored();
  // To wait for each commit before each command would leave one command to a commit.
  if (cell.seen.holdsUnstored) runtime.peek(cell, item, query, told);
  else runtime.hold(cell, item, query, told);
}

/** The same answer as the first time, and after it: the first may still wait for its commit. */
function repeated(runtime: Runtime, { cell, item, command, key }: Attempt): void {
  const request = item.message[1];
  // A SEND is answered by its RECEIPT alone.
  if (!key || command.routes.every((door) => door.startsWith('SEND '))) {
    return runtime.emit(cell, item.edge, [ToEdge.reply, request, null]);
  }
  const args = { actor: cell.key, command: key.command, userId: key.user, idempotencyKey: key.key };
  runtime.hold(cell, item, { name: 'commandAnswer', args }, (rows) => {
    const [row] = rows as readonly { answer: string }[];
    const answer = row ? Buffer.from(row.answer) : null;
    runtime.emit(cell, item.edge, [ToEdge.reply, request, answer], answer?.length ?? 0);
  });
}

function withRows(runtime: Runtime, attempt: Attempt): void {
  const { cell, item, command, body } = attempt;
  const turn = runtime.turn(cell, item.message[4], item.message[5], item.edge);
  const query = command.query?.(cell.state as never, body, turn);
  if (!query) return receive(runtime, attempt, turn, [] as never);
  runtime.hold(cell, item, query, (rows) => {
    const fresh = runtime.turn(cell, item.message[4], item.message[5], item.edge);
    receive(runtime, attempt, fresh, rows as never);
  });
}

function receive(
  runtime: Runtime,
  { cell, item, command, body, key }: Attempt,
  turn: Turn,
  rows: never,
): void {
  command.receive(cell.state as never, body, turn, rows);
  if (key) remember(cell, turn, key);
  runtime.finish(cell, turn, item.message[8].length);
  const answer = turn.answer?.bytes ?? null;
  const reply = [ToEdge.reply, item.message[1], answer] as const;
  const message = turn.cursor === null ? reply : ([...reply, turn.cursor] as const);
  runtime.emit(cell, item.edge, message, answer?.length ?? 0);
}

function remember(cell: Cell, turn: Turn, key: CommandKey): void {
  const madeAt = cell.seen?.timeOf(turn.now) ?? turn.now;
  const row = {
    actor: cell.key,
    command: key.command,
    user_id: key.user,
    idempotency_key: key.key,
    created_at: madeAt,
  };
  turn.write({ op: 'upsert', table: 'idempotency_keys', row });
  if (turn.answer) {
    const answer = Buffer.from(turn.answer.bytes).toString();
    turn.write({ op: 'upsert', table: 'command_answers', row: { ...row, answer } });
  }
  cell.seen?.add(key, madeAt);
}
