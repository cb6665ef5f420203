// A document as its actor has it, for models of clients: each operation is taken over all that was committed since.
import { expect } from 'vitest';
import type { Step } from '../../src/client/draft.ts';
import { applyTo, normalise, type Changes } from '../../src/text/changes.ts';
import { defectOf } from '../../src/text/defect.ts';
import { transformOver } from '../../src/text/history.ts';

export interface Committed {
  readonly operationId: string;
  readonly changes: Changes;
}

export class ModelDocument {
  readonly committed: Committed[] = [];
  text: string;

  constructor(text: string) {
    this.text = text;
  }

  take({ operationId, change, revision }: Step): void {
    expect(defectOf([change], Number.MAX_SAFE_INTEGER)).toBeNull();
    const over = this.committed.slice(revision).map(({ changes }) => changes);
    const changes = transformOver(normalise([change]), over);
    this.text = applyTo(this.text, changes);
    this.committed.push({ operationId, changes });
  }
}
