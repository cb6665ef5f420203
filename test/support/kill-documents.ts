// Documents that several edit at once while the server is ended. Each editor has one operation under way per document,
// made on the text that it has seen.
import { applyTo, type Changes } from '../../src/text/changes.ts';
import type { DatabaseView } from './database.ts';
import { openDocument, operationOf, type Opened } from './documents.ts';
import type { Followed, Follower } from './follower.ts';
import { expectKept, expectOnce, type Load } from './kill-rounds.ts';
import { Participant, type Self } from './participant.ts';
import { range, sendMany } from './rooms.ts';
import type { TestServer } from './server.ts';
import { connectStomp } from './stomp.ts';

/** A document has a snapshot at every 1,000 operations. */
const pastOperations = 960;

/** What is asked for, without its key, which is the operation's id. */
interface Edit {
  readonly docId: string;
  readonly type: 'INSERT' | 'DELETE';
  readonly position: number;
  readonly text?: string;
  readonly length?: number;
  readonly revision: number;
}

type Triple = readonly [position: number, length: number, text: string];

interface Told {
  readonly operationId: string;
  readonly userId: string;
  readonly revision: number;
  readonly changes: readonly Triple[];
}

const changesOf = (text: string): Changes =>
  (JSON.parse(text) as Told).changes.map(([position, length, inserted]) => ({
    position,
    length,
    text: inserted,
  }));

function followedDocument(docId: string): Followed {
  const said = (told: Told): string => JSON.stringify(told);
  return {
    destination: `/topic/doc.${docId}`,
    textOf(frame) {
      const { operationId, userId, revision, changes } = operationOf(frame);
      const triples = changes.map(({ position, length, text }): Triple => [position, length, text]);
      return said({ operationId, userId, revision, changes: triples });
    },
    stored: (database) =>
      database.documentOperations(docId).map((row) => ({
        seq: Number(row['revision']) + 1,
        text: said({
          operationId: String(row['operation_id']),
          userId: String(row['user_id']),
          revision: Number(row['base_revision']),
          changes: (JSON.parse(String(row['changes'])) as Triple[]).map(([position, length, text]) => [
            position,
            length,
            text,
          ]),
        }),
      })),
  };
}

/** The text that an editor has: what there was at first, and all that it saw applied to it. */
class Draft {
  #text: string | null = null;
  #applied = 0;

  bringUpTo(follower: Follower): string {
    follower.look();
    let text = this.#text ?? (JSON.parse(follower.start) as Opened).content;
    for (; this.#applied < follower.sights.length; this.#applied += 1) {
      text = applyTo(text, changesOf(follower.sights[this.#applied]?.text ?? ''));
    }
    this.#text = text;
    return text;
  }
}

/** That place, or the one before it where it would cut a surrogate pair. */
function wholePlace(text: string, position: number): number {
  return /[\uDC00-\uDFFF]/.test(text.charAt(position)) ? position - 1 : position;
}

/** Some edit of that text: two of three insert. The same number gives the same edit. */
function someEdit(docId: string, text: string, revision: number, number: number): Edit {
  const position = wholePlace(text, (number * 7_919) % (text.length + 1));
  const length = wholePlace(text, Math.min(text.length, position + 1 + (number % 9))) - position;
  if (number % 3 !== 0 || length <= 0) {
    return { docId, type: 'INSERT', position, text: `${number}😀 `, revision };
  }
  return { docId, type: 'DELETE', position, length, revision };
}

function editor(user: string, offset: number, docIds: readonly string[]): Participant<Edit> {
  const drafts = docIds.map(() => new Draft());
  const edit = ({ followers }: Self, index: number, number: number): Edit => {
    const follower = followers[index] as Follower;
    const text = (drafts[index] as Draft).bringUpTo(follower);
    return someEdit(docIds[index] as string, text, follower.seq, number + offset);
  };
  return new Participant<Edit>({
    user,
    follows: docIds.map(followedDocument),
    lanes: docIds.length,
    next: (self, number, lane) => edit(self, lane, number),
    ask: ({ client }, operationId, { docId, ...operation }) =>
      client.send(`/app/doc.operation/${docId}`, { ...operation, operationId }),
    // Every other one is made again on the text as it is by now.
    again: (self, what) =>
      what.revision % 2 === 0 ? what : edit(self, docIds.indexOf(what.docId), what.revision),
    async isBack({ client, followers, faults }) {
      for (const [index, docId] of docIds.entries()) {
        const follower = followers[index] as Follower;
        const { content, revision } = await openDocument(client, docId);
        const text = drafts[index]?.bringUpTo(follower);
        if (content !== text) faults.push(`${user}, ${docId}: has "${text}", the server "${content}"`);
        if (revision !== follower.seq) faults.push(`${user}, ${docId}: ${follower.seq} is ${revision}`);
      }
    },
  });
}

function checkDocument(database: DatabaseView, docId: string, participants: readonly Participant<Edit>[]) {
  const stored = followedDocument(docId).stored(database);
  const ids = expectOnce(stored.map(({ text }) => (JSON.parse(text) as Told).operationId));
  for (const { answered } of participants) {
    const done = [...answered].filter(([, { what }]) => what.docId === docId);
    expectKept(
      done.map(([key]) => key),
      ids,
    );
  }
}

/** @param docIds the first gets a past, so that a snapshot falls into the load; nobody has changed the others yet. */
export async function documentsLoad(server: TestServer, docIds: readonly string[]): Promise<Load> {
  const author = await connectStomp(server, { user: 'author' });
  const past = range(0, pastOperations - 1).map((revision) =>
    JSON.stringify({ type: 'INSERT', position: 0, text: '.', revision, operationId: `author ${revision}` }),
  );
  await sendMany(author, `/app/doc.operation/${docIds[0]}`, past);
  await author.disconnect();
  const participants = range(1, 4).map((number) => editor(`editor-${number}`, number * 1_000_003, docIds));
  return {
    participants,
    check(database) {
      for (const docId of docIds) checkDocument(database, docId, participants);
    },
  };
}
