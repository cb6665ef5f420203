// Seals of a document's snapshots: with each goes a checksum of its text, in the same transaction. The newest two are
// kept, as that many snapshots are.
import { z } from 'zod';
import { checksum } from '../../lib/checksum.ts';
import { decodeSnapshot, encodeSnapshot } from '../../storage/snapshot.ts';
import type { Write } from '../../storage/storage.ts';
import type { ActorSnapshotRow, DocumentRow, DocumentSnapshotRow } from '../../storage/tables.ts';
import type { LoadSource } from '../actor.ts';
import { actorKey } from '../route.ts';

/** The oldest first. */
export type Seals = readonly (readonly [revision: number, checksum: number])[];

export const sealsSchema: z.ZodType<Seals> = z.array(z.tuple([z.int(), z.int()])).max(2);

const form = 1;

export const sealsName = (docId: string): string => `seals:${actorKey('document', docId)}`;

export function withSeal(seals: Seals, revision: number, content: string): Seals {
  return [...seals.slice(-1), [revision, checksum(content)]];
}

/** @param now milliseconds since 1970. */
export function sealsWrite(
  { doc_id, epoch }: Pick<DocumentRow, 'doc_id' | 'epoch'>,
  seals: Seals,
  now: number,
): Write {
  const name = sealsName(doc_id);
  const body = encodeSnapshot({ name, form, epoch, place: seals.at(-1)?.[0] ?? 0, data: seals });
  if (!body) throw new RangeError('seals are small');
  return { op: 'upsert', table: 'actor_snapshots', row: { actor: name, body, created_at: now } };
}

/** None where those in the row are worth nothing. */
export function sealsOf(row: ActorSnapshotRow | undefined, document: DocumentRow, source: LoadSource): Seals {
  if (!row) return [];
  const decoded = decodeSnapshot(row.body, sealsName(document.doc_id), form);
  if ('defect' in decoded) {
    source.ignored('seals of snapshots', decoded.defect);
    return [];
  }
  const { success, data } = sealsSchema.safeParse(decoded.snapshot.data);
  if (success && decoded.snapshot.epoch === document.epoch) return data;
  source.ignored('seals of snapshots', success ? 'they are of another life' : 'they have another shape');
  return [];
}

/** What its seal says against a snapshot; null for one that was made before there were any. */
export function brokenSeal(seals: Seals, { revision, content }: DocumentSnapshotRow): string | null {
  const seal = seals.find(([of]) => of === revision);
  if (seal) return seal[1] === checksum(content) ? null : 'its checksum is wrong';
  return revision > (seals[0]?.[0] ?? Infinity) ? 'it has no seal' : null;
}
