// Snapshots of documents in the database: what is worth nothing is passed over, as long as the operations are there.
import { describe, expect, test } from 'vitest';
import { documentKind } from '../../src/actors/kinds/document.ts';
import { sealsName } from '../../src/actors/kinds/document-seals.ts';
import type { Write } from '../../src/storage/storage.ts';
import { FakeStorage } from '../support/fake-storage.ts';
import { rounds, TestShard } from './test-shard.ts';

const docId = 'd';
const actor = `document/${docId}`;
/** After so many operations there is a snapshot; and so many later older ones go. */
const step = 1_000;
const trimmedAt = 11_000;

class Document extends TestShard {
  /** @param edits made on the store before. */
  constructor(storage: FakeStorage, edits: number) {
    super({ idleMs: 60_000 }, { kinds: [documentKind], storage, ids: edits * 10 });
  }

  /** One unit each, at the end. */
  async type(from: number, to: number): Promise<void> {
    for (let revision = from; revision < to; revision += 1) {
      this.insert(revision);
      if (revision % 500 === 0) await rounds();
    }
    await rounds();
  }

  insert(revision: number): number {
    const text = String.fromCharCode(97 + (revision % 26));
    const body = JSON.stringify({ type: 'INSERT', position: revision, text, revision });
    return this.ask('operation', { actor, body });
  }

  async view(): Promise<unknown> {
    const answer = await this.answerOf('open', { actor });
    return answer?.startsWith('ok: ') ? JSON.parse(answer.slice('ok: '.length)) : answer;
  }

  get why(): unknown[] {
    return this.warnings.map(({ what, why }) => `${String(what)}: ${String(why)}`);
  }
}

const typed = (count: number): string =>
  Array.from({ length: count }, (_none, revision) => String.fromCharCode(97 + (revision % 26))).join('');

async function written(edits: number): Promise<FakeStorage> {
  const storage = new FakeStorage();
  await new Document(storage, 0).type(0, edits);
  return storage;
}

const snapshots = async (storage: FakeStorage): Promise<number[]> => {
  const revisions: number[] = [];
  for (let before = Infinity; ;) {
    const [row] = await storage.query({ name: 'documentSnapshot', args: { docId, before } });
    if (!row) return revisions;
    revisions.push(row.revision);
    before = row.revision;
  }
};

function put(revision: number, content: string): Write {
  const row = { doc_id: docId, revision, content, created_at: 0 };
  return { op: 'upsert', table: 'document_snapshots', row };
}

const unseal: Write = { op: 'delete', table: 'actor_snapshots', key: { actor: sealsName(docId) } };
const spoilSeals: Write = {
  op: 'upsert',
  table: 'actor_snapshots',
  row: { actor: sealsName(docId), body: Buffer.from('garbage'), created_at: 0 },
};

/** The document after so many edits, as it is loaded when these writes have spoilt it. */
async function loaded(edits: number, ...spoil: Write[]): Promise<Document> {
  const storage = await written(edits);
  for (const write of spoil) expect(await storage.commit([[write]])).toEqual([null]);
  return new Document(storage, edits);
}

describe('a snapshot in the database', () => {
  const edits = step + 20;
  const view = { docId, content: typed(edits), revision: edits };

  test('[SNAP12] is taken as it is when all is well', async () => {
    const document = await loaded(edits);
    expect(await document.view()).toEqual(view);
    expect(document.warnings).toEqual([]);
  });

  test('[SNAP12] whose text is not what was stored is passed over', async () => {
    const document = await loaded(edits, put(step, 'x'.repeat(step)));
    expect(await document.view()).toEqual(view);
    expect(document.why).toEqual([`snapshot at ${step}: its checksum is wrong`]);
  });

  test('[SNAP12] that lies beyond the operations is passed over', async () => {
    for (const revision of [edits + 1, 50_000]) {
      const document = await loaded(edits, put(revision, 'what is to come'));
      expect(await document.view()).toEqual(view);
      expect(document.why).toEqual([
        `snapshot at ${revision}: there is no operation that it was taken after`,
      ]);
    }
  });

  test('[SNAP12] that nobody has sealed is passed over where others are sealed', async () => {
    const document = await loaded(edits, put(step + 10, 'forged'));
    expect(await document.view()).toEqual(view);
    expect(document.why).toEqual([`snapshot at ${step + 10}: it has no seal`]);
  });

  test('[SNAP12] that was stored before there were seals counts, unless the operations since do not fit it', async () => {
    const document = await loaded(edits, unseal);
    expect(await document.view()).toEqual(view);
    expect(document.warnings).toEqual([]);
    const short = await loaded(edits, unseal, put(step, 'too short'));
    expect(await short.view()).toEqual(view);
    expect(short.why).toEqual([`snapshot at ${step}: the operations since do not fit it`]);
  });

  test('[SNAP12] counts when its seals are spoilt, with a warning', async () => {
    const document = await loaded(edits, spoilSeals);
    expect(await document.view()).toEqual(view);
    expect(document.why).toEqual(['seals of snapshots: it is no snapshot']);
  });

  test('[SNAP12] that is worth nothing goes with the next edit', async () => {
    const document = await loaded(edits, put(50_000, 'garbage'), put(step, 'spoilt'));
    expect(await document.view()).toEqual(view);
    expect(await snapshots(document.storage)).toEqual([50_000, step]);
    await document.type(edits, edits + 1);
    // In its place comes a good one.
    expect(await snapshots(document.storage)).toEqual([edits + 1]);
    const again = new Document(document.storage, edits + 1);
    expect(await again.view()).toEqual({ docId, content: typed(edits + 1), revision: edits + 1 });
    expect(again.warnings).toEqual([]);
  });

  test('[SNAP12] keeps one before it, when older operations go, which then stands in for it', async () => {
    const storage = await written(trimmedAt + 5);
    expect(await snapshots(storage)).toEqual([trimmedAt, trimmedAt - step]);
    const [head] = await storage.query({ name: 'documentHead', args: { docId } });
    expect(head).toEqual({ oldest: step, newest: trimmedAt + 5 });
    await storage.commit([[put(trimmedAt, 'spoilt')]]);
    const document = new Document(storage, trimmedAt + 5);
    expect(await document.view()).toMatchObject({ content: typed(trimmedAt + 5), revision: trimmedAt + 5 });
    expect(document.why).toEqual([`snapshot at ${trimmedAt}: its checksum is wrong`]);
    await storage.commit([[put(trimmedAt - step, 'spoilt')]]);
    // Without its beginning it must not be taken for a shorter one.
    expect(await new Document(storage, trimmedAt + 5).view()).toBe('UNAVAILABLE');
  });

  test('[SNAP12] is all there is of a document whose operations were removed by hand', async () => {
    const storage = await written(step);
    const trim = { op: 'trim_document', docId, operationsBefore: Infinity, snapshotsBefore: 0 } as const;
    await storage.commit([[trim]]);
    expect(await new Document(storage, step).view()).toMatchObject({ content: typed(step), revision: step });
    await storage.commit([[put(step, 'spoilt')]]);
    expect(await new Document(storage, step).view()).toBe('UNAVAILABLE');
  });

  test('[SNAP12] does not hide that an operation is missing', async () => {
    const gap: Write = {
      op: 'delete',
      table: 'document_operations',
      key: { doc_id: docId, revision: step + 3 },
    };
    expect(await (await loaded(edits, gap)).view()).toBe('UNAVAILABLE');
  });
});
