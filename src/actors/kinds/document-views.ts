// How documents and their operations look from outside, and how their rows keep them.
import type { DocumentOperationRow } from '../../storage/tables.ts';
import { ChangesBuilder, type Change, type Changes } from '../../text/changes.ts';

/** One change as a row keeps it, with the text it removed. */
type KeptChange = readonly [position: number, length: number, text: string, removed: string];

/** @param textOf the units that a change removes. */
export function keptChanges(changes: Changes, textOf: (change: Change) => string): string {
  const kept = changes.map((change): KeptChange => {
    const removed = change.length > 0 ? textOf(change) : '';
    return [change.position, change.length, change.text, removed];
  });
  return JSON.stringify(kept);
}

function parsed({ changes }: Pick<DocumentOperationRow, 'changes'>): KeptChange[] {
  return JSON.parse(changes) as KeptChange[];
}

export function changesOf(row: Pick<DocumentOperationRow, 'changes'>): Changes {
  return parsed(row).map(([position, length, text]) => ({ position, length, text }));
}

/** What takes the operation back, as changes of the document right after it. */
export function inverseOf(row: Pick<DocumentOperationRow, 'changes'>): Changes {
  const inverse = new ChangesBuilder();
  let shift = 0;
  for (const [position, length, text, removed] of parsed(row)) {
    inverse.add(position + shift, text.length, removed);
    shift += text.length - length;
  }
  return inverse.build();
}

/** `type` and the like: what readers of the plain form understand, where there is such a form. */
function plainForm(changes: Changes): object {
  const [change] = changes;
  if (!change || changes.length > 1) return {};
  if (change.length === 0) return { type: 'INSERT', ...change };
  return change.text === '' ? { type: 'DELETE', ...change } : {};
}

export function operationView(row: DocumentOperationRow) {
  const changes = changesOf(row);
  return {
    ...plainForm(changes),
    revision: row.base_revision,
    serverRevision: row.revision,
    operationId: row.operation_id,
    userId: row.user_id,
    changes,
  };
}
