// How a document gets into memory: its text at some revision, and the operations since. The text comes from a snapshot
// in Redis, or from the newest in the database, or from the one before that, whichever the operations bear out.
import { z } from 'zod';
import { checksum } from '../../lib/checksum.ts';
import type { Rows } from '../../storage/storage.ts';
import type { DocumentOperationRow, DocumentSnapshotRow } from '../../storage/tables.ts';
import { Text } from '../../text/text.ts';
import type { LoadSource } from '../actor.ts';
import { stateSnapshot, Worthless } from '../state-snapshot.ts';
import { brokenSeal, sealsName, sealsOf, sealsSchema } from './document-seals.ts';
import { DocumentState, type DocumentParts } from './document-state.ts';

export const loadDocument = (docId: string, before: number) =>
  ({
    document: { name: 'document', args: { docId } },
    head: { name: 'documentHead', args: { docId } },
    snapshot: { name: 'documentSnapshot', args: { docId, before } },
    tail: { name: 'documentTail', args: { docId, before } },
    seals: { name: 'actorSnapshot', args: { actor: sealsName(docId) } },
  }) as const;

interface DocumentRows {
  readonly document: Rows<'document'>;
  readonly head: Rows<'documentHead'>;
  readonly snapshot: Rows<'documentSnapshot'>;
  readonly tail: Rows<'documentTail'>;
  readonly seals: Rows<'actorSnapshot'>;
}

export function startDocument(rows: DocumentRows, source: LoadSource): DocumentState {
  const [document] = rows.document;
  const [snapshot] = rows.snapshot;
  const { oldest, newest } = rows.head[0] ?? { oldest: 0, newest: 0 };
  const { worthless } = source;
  if (!document) return newDocument(source);
  const seals = sealsOf(rows.seals[0], document, source);
  const parts = { epoch: document.epoch, isStored: true, oldest, seals, worthless };
  if (snapshot) return fromSnapshot(snapshot, rows.tail, { ...parts, hasOperations: oldest < newest });
  // One whose beginning is gone must not be taken for a shorter one.
  if (rows.tail.length === 0 && worthless.length > 0) throw new Error('no snapshot of the document is left');
  assertWhole(rows.tail, 0);
  return new DocumentState({ ...parts, snapshot: 0, text: Text.from(''), tail: rows.tail });
}

function newDocument(source: LoadSource): DocumentState {
  const parts = { epoch: source.newEpoch(), isStored: false, oldest: 0, snapshot: 0, tail: [] };
  return new DocumentState({ ...parts, text: Text.from(''), seals: [], worthless: [] });
}

/** @param tail with the operation that the snapshot was taken after, unless there are none at all. */
function fromSnapshot(
  snapshot: DocumentSnapshotRow,
  tail: readonly DocumentOperationRow[],
  parts: Omit<DocumentParts, 'snapshot' | 'text' | 'tail' | 'last'> & { readonly hasOperations: boolean },
): DocumentState {
  const { revision } = snapshot;
  const [last, ...since] = tail;
  if (parts.hasOperations && last?.revision !== revision - 1) {
    throw new Worthless('there is no operation that it was taken after', revision);
  }
  const defect = brokenSeal(parts.seals, snapshot);
  if (defect !== null) throw new Worthless(defect, revision);
  assertWhole(since, revision);
  try {
    return new DocumentState({
      ...parts,
      snapshot: revision,
      text: Text.from(snapshot.content),
      last,
      tail: since,
    });
  } catch (error) {
    if (error instanceof RangeError) throw new Worthless('the operations since do not fit it', revision);
    throw error;
  }
}

/** What the operation at some revision was: another history has another one there. */
type Anchor = [createdAt: number, checksum: number];

function anchorOf({ operation_id, user_id, changes, created_at }: DocumentOperationRow): Anchor {
  return [created_at, checksum(`${operation_id}\0${user_id}\0${changes}`)];
}

export const documentSnapshot = stateSnapshot({
  form: 1,
  // The database has snapshots of documents in a table of their own.
  isStored: false,
  schema: z.object({
    content: z.string(),
    /** Of the newest snapshot in the database. */
    snapshot: z.int().min(0),
    seals: sealsSchema,
    anchor: z.tuple([z.int(), z.int()]),
  }),

  take({ epoch, isStored, revision, last, snapshot, seals, content }: DocumentState) {
    if (!isStored || !last) return null;
    return { epoch, place: revision, data: { content, snapshot, seals, anchor: anchorOf(last) } };
  },

  load: (docId, { place }) => ({
    document: { name: 'document', args: { docId } },
    head: { name: 'documentHead', args: { docId } },
    tail: {
      name: 'documentOperationsAfter',
      args: { docId, after: place - 2, limit: Number.MAX_SAFE_INTEGER },
    },
  }),

  start(_docId, { epoch, place, data }, rows) {
    const [document] = rows.document;
    if (!document) throw new Worthless('there is no such document');
    if (document.epoch !== epoch) throw new Worthless('it is of another life');
    const [last, ...tail] = rows.tail;
    if (last?.revision !== place - 1) throw new Worthless('there is no operation that it was taken after');
    const [createdAt, sum] = anchorOf(last);
    if (createdAt !== data.anchor[0] || sum !== data.anchor[1])
      throw new Worthless('it is of another history');
    if (firstMissing(tail, place) !== null) throw new Worthless('operations since are missing');
    const { oldest } = rows.head[0] ?? { oldest: 0 };
    const { snapshot, seals } = data;
    try {
      const text = Text.from(data.content);
      const parts = { epoch, isStored: true, oldest, snapshot, seals, worthless: [] };
      return new DocumentState({ ...parts, text, from: place, last, tail });
    } catch (error) {
      if (error instanceof RangeError) throw new Worthless('the operations since do not fit it');
      throw error;
    }
  },
});

/** @throws Error */
function assertWhole(operations: readonly DocumentOperationRow[], from: number): void {
  const missing = firstMissing(operations, from);
  if (missing !== null) throw new Error(`the document's operation on revision ${missing} is missing`);
}

/** @param from the revision of the first. */
function firstMissing(operations: readonly DocumentOperationRow[], from: number): number | null {
  const index = operations.findIndex(({ revision }, place) => revision !== from + place);
  return index < 0 ? null : from + index;
}
