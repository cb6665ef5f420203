// What bounds the operations of a document that are read when it is loaded, and those that are kept.
import type { Context } from '../actor.ts';
import { sealsWrite, withSeal } from './document-seals.ts';
import type { DocumentState } from './document-state.ts';

/** Operations that are kept at least, and the step in which older ones go. */
export const operationsKept = 10_000;
const trimStep = 1_000;
/** A snapshot comes after so many operations; after more in a long text, which costs more to write. */
const snapshotStepMin = 1_000;
const snapshotUnitsPerOperation = 1_000;

/** After an operation. */
export function compact(state: DocumentState, ctx: Context): void {
  // Nobody should come across them again, when the operations may have caught up with them.
  for (const revision of state.worthless.splice(0)) {
    ctx.write({ op: 'delete', table: 'document_snapshots', key: { doc_id: ctx.id, revision } });
  }
  const { revision, text, epoch, snapshot: before } = state;
  const step = Math.max(snapshotStepMin, Math.min(text.length / snapshotUnitsPerOperation, operationsKept));
  if (revision - before < step) return;
  const { content } = state;
  state.snapshot = revision;
  state.seals = withSeal(state.seals, revision, content);
  const row = { doc_id: ctx.id, revision, content, created_at: ctx.now };
  ctx.write({ op: 'upsert', table: 'document_snapshots', row });
  ctx.write(sealsWrite({ doc_id: ctx.id, epoch }, state.seals, ctx.now));
  if (revision - state.oldest < operationsKept + trimStep) return;
  state.oldest = revision - operationsKept;
  const trim = { op: 'trim_document', docId: ctx.id } as const;
  // The one before stays, with all that came after it, in case this one is spoilt.
  ctx.write({ ...trim, operationsBefore: state.oldest, snapshotsBefore: before });
}
