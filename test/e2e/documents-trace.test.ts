// Two people who really wrote together (see test/fixtures/README.md), once more, through two live clients.
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { normalise, type Change, type Changes } from '../../src/text/changes.ts';
import { composeAll } from '../../src/text/compose.ts';
import { rebase, transformOver } from '../../src/text/history.ts';
import { Text } from '../../src/text/text.ts';
import { applied, openDocument, operationId, operationOf } from '../support/documents.ts';
import { startServer } from '../support/server.ts';
import { connectStomp, type TestClient } from '../support/stomp.ts';

const transactionsMax = 1_500;
const doc = 'trace';
const topic = `/topic/doc.${doc}`;

interface Trace {
  readonly transactions: readonly {
    /** The transactions whose merge the agent had before it when it wrote this one. */
    readonly parents: readonly number[];
    readonly agent: number;
    readonly patches: readonly (readonly [position: number, length: number, text: string])[];
  }[];
}

/** A transaction as the server has it, and the revision after it. */
interface Committed {
  readonly agent: number;
  readonly changes: Changes;
  readonly revision: number;
}

const file = new URL('../../../test/fixtures/clownschool.json.gz', import.meta.url);
const trace = JSON.parse(gunzipSync(readFileSync(file)).toString()) as Trace;

/** Somebody who has read the history up to a transaction, and has written on from there. */
class Writer {
  readonly text = Text.from('');
  read = 0;
  readonly #client: TestClient;
  readonly #agent: number;
  readonly #history: Committed[];
  /** Own transactions behind what was read. */
  #pending: readonly Changes[] = [];
  #afterOwn = 0;

  constructor(client: TestClient, agent: number, history: Committed[]) {
    this.#client = client;
    this.#agent = agent;
    this.#history = history;
  }

  readUpTo(index: number): void {
    for (const { agent, changes } of this.#history.slice(this.read, index)) {
      if (agent === this.#agent) {
        this.#pending = this.#pending.slice(1);
        continue;
      }
      const { pending, incoming } = rebase(this.#pending, changes);
      this.#pending = pending;
      this.text.apply(incoming);
    }
    this.read = Math.max(this.read, index);
  }

  /**
   * Writes, and sends it based on its own last operation: what others have done since, the server has to do justice to.
   *
   * @returns whether there was something.
   */
  async write(changes: Changes): Promise<boolean> {
    this.text.apply(changes);
    this.#pending = [...this.#pending, changes];
    const base = Math.max(this.read, this.#afterOwn);
    let pending = this.#pending;
    for (const { agent, changes: over } of this.#history.slice(this.read, base)) {
      pending = agent === this.#agent ? pending.slice(1) : rebase(pending, over).pending;
    }
    expect(pending).toHaveLength(1);
    const others = this.#history.slice(base).map((step) => step.changes);
    const revision = this.#history[base - 1]?.revision ?? 0;
    const done = await this.#sendAll(pending[0] ?? [], revision, others);
    this.#history.push({ agent: this.#agent, ...done });
    this.#afterOwn = this.#history.length;
    return others.length > 0;
  }

  /** From the last place to the first, so that no operation moves another. */
  async #sendAll(
    changes: Changes,
    from: number,
    others: readonly Changes[],
  ): Promise<Omit<Committed, 'agent'>> {
    const steps: Changes[] = [];
    let left = changes;
    let revision = from;
    let now = this.#history.at(-1)?.revision ?? 0;
    for (let last = left.at(-1); last; last = left.at(-1)) {
      const { position, length, text } = last;
      const rest = length > 0 && text !== '' ? [{ position, length: 0, text }] : [];
      steps.push(await this.#send(length > 0 ? { position, length, text: '' } : last, revision, now));
      left = [...left.slice(0, -1), ...rest];
      if (revision !== now) left = transformOver(left, others);
      now += 1;
      revision = now;
    }
    return { changes: composeAll(steps), revision: now };
  }

  /** @returns what the server made of it. */
  async #send(change: Change, revision: number, now: number): Promise<Changes> {
    const type = change.length > 0 ? 'DELETE' : 'INSERT';
    const operation = { ...change, type, revision, operationId: operationId() };
    await this.#client.send(`/app/doc.operation/${doc}`, operation);
    await this.#client.messages(topic, now + 1);
    const frame = this.#client.received(topic)[now];
    const committed = frame && operationOf(frame);
    expect(committed?.serverRevision).toBe(now);
    return committed?.changes ?? [];
  }
}

test('[DOC24] what two people wrote at the same time ends in one text, on the server and for both', async () => {
  const server = await startServer();
  const history: Committed[] = [];
  const writers = new Map<number, Writer>();
  for (const agent of [0, 2]) {
    const client = await connectStomp(server, { user: `writer-${agent}` });
    await client.subscribe(topic);
    writers.set(agent, new Writer(client, agent, history));
  }
  const reader = await connectStomp(server, { user: 'reader' });
  await reader.subscribe(topic);
  /** For each transaction, the newest one of each agent that it knows of. */
  const known: ReadonlyMap<number, number>[] = [];
  let concurrent = 0;
  for (const [index, { parents, agent, patches }] of trace.transactions.slice(0, transactionsMax).entries()) {
    const seen = new Map<number, number>();
    for (const parent of parents) {
      for (const [who, newest] of known[parent] ?? []) seen.set(who, Math.max(seen.get(who) ?? -1, newest));
    }
    const writer = writers.get(agent) as Writer;
    let { read } = writer;
    while (read < index && read <= (seen.get(history[read]?.agent ?? -1) ?? -1)) read += 1;
    writer.readUpTo(read);
    const steps = patches.map(([position, length, text]) => normalise([{ position, length, text }]));
    if (await writer.write(composeAll(steps))) concurrent += 1;
    known.push(seen.set(agent, index));
  }

  const { content, revision } = await openDocument(reader, doc);
  for (const writer of writers.values()) {
    writer.readUpTo(history.length);
    expect(writer.text.toString()).toBe(content);
  }
  expect(applied('', await reader.messages(topic, revision))).toBe(content);
  // Else the trace would prove nothing.
  expect(concurrent).toBeGreaterThan(100);
});
