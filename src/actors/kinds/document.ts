// Documents that many edit at once: each operation is transformed over all that was committed since the revision it
// was made on, applied, stored, and then seen by all in one order.
import { z } from 'zod';
import { Refusal } from '../../errors.ts';
import type { DocumentOperationRow } from '../../storage/tables.ts';
import { growth, normalise, type Changes } from '../../text/changes.ts';
import { cutsPair, defectOf } from '../../text/defect.ts';
import { undo, type Step } from '../../text/undo.ts';
import { command, defineActor, type Attached, type Context } from '../actor.ts';
import { isoTime, json, jsonBody, nothing } from '../body.ts';
import { compact, operationsKept } from './document-compaction.ts';
import { documentSnapshot, loadDocument, startDocument } from './document-loading.ts';
import type { DocumentState, Since } from './document-state.ts';
import {
  changesOf,
  cursorBody,
  documentAnswer,
  inverseOf,
  keptChanges,
  operationAnswer,
  operationBody,
  operationView,
  undoBody,
  type cursorView,
} from './document-views.ts';

const idCharactersMax = 255;
/** Nobody could subscribe to the topic of a document whose id reads as a pattern, or as the cursors of another. */
const oddId = /[\p{Cc}*?]|\{[^{}]+\}|\.cursors$/u;
const documentUnitsMax = 4 * 1024 * 1024;
const pageMax = 10_000;

const decodeOperation = json(operationBody);
const decodeUndo = json(undoBody);
const decodeCursor = json(cursorBody);

const digits = z.string().regex(/^\d{1,15}$/, 'must be a whole number');

/** Throws for an id that no document can have. */
function refuseOddId({ id }: Context): void {
  if (id.length > idCharactersMax) {
    throw new Refusal('TOO_LARGE', `A document's id has at most ${idCharactersMax} characters.`);
  }
  if (!oddId.test(id)) return;
  const text = "A document's id holds no wildcards or control characters, and does not end in .cursors.";
  throw new Refusal('BAD_REQUEST', text);
}

/** A row as the user sees it who undoes. */
function stepOf(row: DocumentOperationRow, user: string): Step {
  const isOwn = row.user_id === user;
  return {
    changes: changesOf(row),
    inverse: isOwn ? inverseOf(row) : null,
    undoneSteps: isOwn && row.undoes !== null ? row.revision - row.undoes : 0,
  };
}

function view(state: DocumentState, docId: string): z.input<typeof documentAnswer> {
  return { docId, content: state.content, revision: state.revision };
}

/** @throws Refusal when it asks for nothing, or for what the document did not have. */
function changesAsked(operation: z.output<typeof operationBody>, documentLength: number): Changes {
  const { type, position } = operation;
  const text = type === 'INSERT' ? (operation.text ?? '') : '';
  const length = type === 'DELETE' ? (operation.length ?? 0) : 0;
  if (text === '' && length === 0) throw new Refusal('BAD_REQUEST', `This ${type} does nothing.`);
  const changes = normalise([{ position, length, text }]);
  const defect = defectOf(changes, documentLength);
  if (defect) throw new Refusal('BAD_REQUEST', defect);
  return changes;
}

/** @throws Refusal for a revision that is not there yet, or not any more. */
function assertKept(state: DocumentState, revision: number): void {
  if (revision > state.revision) {
    throw new Refusal('BAD_REQUEST', `The document has revision ${state.revision}, not ${revision} yet.`);
  }
  if (revision < state.oldest) {
    const text = `Operations before revision ${state.oldest} are no longer kept: open the document again.`;
    throw new Refusal('CONFLICT', text, { revision: state.revision });
  }
}

/** What was committed since a revision, from memory, or from rows that were read because memory does not reach back. */
function since(state: DocumentState, revision: number, rows: readonly DocumentOperationRow[]): Since {
  return state.since(revision) ?? { history: rows.map(changesOf), from: 0 };
}

type Applied = Pick<DocumentOperationRow, 'operation_id' | 'base_revision' | 'undoes'>;

/** Applies changes of the document as it is now. */
function apply(state: DocumentState, changes: Changes, applied: Applied, ctx: Context): void {
  const { text, revision } = state;
  if (text.length + growth(changes) > documentUnitsMax) {
    throw new Refusal('TOO_LARGE', `A document has at most ${documentUnitsMax} UTF-16 units.`);
  }
  if (cutsPair(changes, text)) throw new Refusal('BAD_REQUEST', 'This cuts a surrogate pair.');
  const kept = keptChanges(changes, ({ position, length }) => text.slice(position, position + length));
  const row: DocumentOperationRow = {
    doc_id: ctx.id,
    revision,
    user_id: ctx.user,
    changes: kept,
    is_undone: false,
    created_at: ctx.now,
    ...applied,
  };
  if (!state.isStored) {
    state.isStored = true;
    const document = { doc_id: ctx.id, epoch: state.epoch, created_at: ctx.now };
    ctx.write({ op: 'insert', table: 'documents', row: document });
  }
  state.apply(changes, row, ctx.session);
  ctx.write({ op: 'insert', table: 'document_operations', row });
  compact(state, ctx);
  ctx.publish('operations', jsonBody(operationView(row, changes)), { seq: state.revision });
}

type CursorView = z.input<typeof cursorView>;

function cursorOf(
  docId: string,
  { user, session }: Attached,
  at: Pick<CursorView, 'position' | 'anchor' | 'revision'>,
  now: number,
) {
  const cursor: CursorView = { docId, userId: user, sessionId: session, ...at, timestamp: isoTime(now) };
  return jsonBody(cursor);
}

function assertStored(state: DocumentState, id: string): void {
  if (!state.isStored) throw new Refusal('NOT_FOUND', `There is no document ${id}.`);
}

const operationsAfter = (docId: string, after: number, limit: number) =>
  ({ name: 'documentOperationsAfter', args: { docId, after, limit } }) as const;

export const documentKind = defineActor({
  name: 'document',

  load: loadDocument,
  start: (_id, rows, source) => startDocument(rows, source),
  snapshot: documentSnapshot,

  refusalDetail: (id) => ({ docId: id }),

  streams: {
    operations: {
      destination: '/topic/doc.{id}',
      admit: (_state, ctx) => refuseOddId(ctx),
      // The message that is `seq` was applied on revision `seq - 1`.
      log: {
        head: ({ epoch, oldest, revision }) => ({ epoch, oldest: oldest + 1, newest: revision }),
        after: (id, after, limit) => operationsAfter(id, after - 1, limit),
        message: (row: DocumentOperationRow) => [
          row.revision + 1,
          null,
          jsonBody(operationView(row)).bytes,
          true,
        ],
        keep(state, ctx) {
          if (state.isStored) return;
          state.isStored = true;
          const row = { doc_id: ctx.id, epoch: state.epoch, created_at: ctx.now };
          ctx.write({ op: 'insert', table: 'documents', row });
        },
      },
      present: (state, ctx) => ({ bodies: [jsonBody(view(state, ctx.id))], upto: 0, isWhole: true }),
    },
    cursors: {
      destination: '/topic/doc.{id}.cursors',
      admit: (_state, ctx) => refuseOddId(ctx),
      present(state, ctx) {
        const bodies = [...state.cursors.entries()].map(([session, { user, position, anchor }]) =>
          cursorOf(ctx.id, { session, user }, { position, anchor, revision: state.revision }, ctx.now),
        );
        return { bodies, upto: 0, isWhole: true };
      },
    },
  },

  commands: {
    open: command({
      routes: ['SUBSCRIBE /app/doc.open/{id}'],
      decode: nothing,
      receive(state: DocumentState, _body, ctx) {
        refuseOddId(ctx);
        ctx.reply(view(state, ctx.id));
      },
    }),

    get: command({
      routes: ['GET /api/documents/{id}'],
      about: 'The text of a document and its revision.',
      answer: documentAnswer,
      decode: nothing,
      receive(state: DocumentState, _body, ctx) {
        assertStored(state, ctx.id);
        ctx.reply(view(state, ctx.id));
      },
    }),

    operations: command({
      routes: ['GET /api/documents/{id}/operations'],
      about: 'Operations applied on revision `since` and later, oldest first.',
      parameters: z.object({ since: digits.optional(), limit: digits.optional() }),
      answer: z.array(operationAnswer),
      decode: nothing,
      query(state: DocumentState, _body, ctx) {
        assertStored(state, ctx.id);
        const from = Number(ctx.params['since'] ?? state.oldest);
        const limit = Number(ctx.params['limit'] ?? 1_000);
        if (limit < 1 || limit > pageMax) {
          throw new Refusal('BAD_REQUEST', `limit must be a whole number from 1 to ${pageMax}.`);
        }
        assertKept(state, from);
        return operationsAfter(ctx.id, from - 1, limit);
      },
      receive(_state, _body, ctx, rows) {
        ctx.reply(rows.map((row) => operationView(row)));
      },
    }),

    operation: command({
      routes: ['SEND /app/doc.operation/{id}'],
      decode: decodeOperation,
      idempotencyKey: (body) => body.operationId,
      query(state: DocumentState, body, ctx) {
        refuseOddId(ctx);
        assertKept(state, body.revision);
        if (state.since(body.revision)) return undefined;
        return operationsAfter(ctx.id, body.revision - 1, Number.MAX_SAFE_INTEGER);
      },
      receive(state, body, ctx, rows) {
        assertKept(state, body.revision);
        const over = since(state, body.revision, rows);
        const asked = changesAsked(body, state.lengthAt(over));
        const id = body.operationId ?? ctx.newId();
        const applied = { operation_id: id, base_revision: body.revision, undoes: null };
        apply(state, state.transformed(asked, over), applied, ctx);
      },
    }),

    undo: command({
      routes: ['SEND /app/doc.undo/{id}'],
      decode: decodeUndo,
      idempotencyKey: (body) => body.operationId,
      query: (state: DocumentState, _body, ctx) => ({
        name: 'documentUndo',
        args: { docId: ctx.id, userId: ctx.user, since: state.revision - operationsKept },
      }),
      receive(state, body, ctx, rows) {
        const [target] = rows;
        if (!target) throw new Refusal('CONFLICT', 'There is nothing of yours to take back.');
        const changes = undo(rows.map((row) => stepOf(row, ctx.user)));
        const operation_id = body.operationId ?? ctx.newId();
        const applied = { operation_id, base_revision: state.revision, undoes: target.revision };
        apply(state, changes, applied, ctx);
        ctx.write({ op: 'upsert', table: 'document_operations', row: { ...target, is_undone: true } });
      },
    }),

    cursor: command({
      routes: ['SEND /app/doc.cursor/{id}'],
      decode: decodeCursor,
      receive(state: DocumentState, body, ctx) {
        refuseOddId(ctx);
        const revision = body.revision ?? state.revision;
        const over = revision > state.revision ? null : state.since(revision);
        if (!over) throw new Refusal('BAD_REQUEST', `No cursor can be placed in revision ${revision}.`);
        const length = state.lengthAt(over);
        const anchor = body.anchor ?? body.position;
        if (body.position > length || anchor > length) {
          throw new Refusal('BAD_REQUEST', `The document of revision ${revision} has ${length} units.`);
        }
        const session = ctx.session === '' ? ctx.user : ctx.session;
        const at = state.cursors.place(session, { user: ctx.user, position: body.position, anchor }, over);
        ctx.attach();
        const shown = { ...at, revision: state.revision };
        ctx.publish('cursors', cursorOf(ctx.id, { session, user: ctx.user }, shown, ctx.now));
      },
    }),
  },

  attachments(state, ctx, { gone }) {
    if (!gone) return;
    state.cursors.remove(gone.session);
    const nowhere = { position: null, anchor: null, revision: state.revision };
    ctx.publish('cursors', cursorOf(ctx.id, gone, nowhere, ctx.now));
  },
});
