// Two people who really wrote together, with a server between them (see test/fixtures/README.md).
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { normalise, type Changes } from '../../src/text/changes.ts';
import { composeAll } from '../../src/text/compose.ts';
import { rebase } from '../../src/text/history.ts';
import { Text } from '../../src/text/text.ts';

interface Transaction {
  /** The transactions whose merge the agent had before it when it wrote this one. */
  readonly parents: readonly number[];
  readonly agent: number;
  /** Each in the document after the one before. */
  readonly patches: readonly (readonly [position: number, length: number, text: string])[];
}

interface Trace {
  readonly endContent: string;
  readonly transactions: readonly Transaction[];
}

interface Committed {
  readonly agent: number;
  readonly changes: Changes;
}

const file = new URL('../../../test/fixtures/clownschool.json.gz', import.meta.url);
const trace = JSON.parse(gunzipSync(readFileSync(file)).toString()) as Trace;

/** A writer: the text as it sees it, and what of its own the history it has read does not hold yet. */
class Agent {
  readonly #number: number;
  readonly text = Text.from('');
  pending: readonly Changes[] = [];
  revision = 0;

  constructor(number: number) {
    this.#number = number;
  }

  read(history: readonly Committed[], upTo: number): void {
    for (const { agent, changes } of history.slice(this.revision, upTo)) {
      if (agent === this.#number) {
        this.pending = this.pending.slice(1);
        continue;
      }
      const { pending, incoming } = rebase(this.pending, changes);
      this.pending = pending;
      this.text.apply(incoming);
    }
    this.revision = Math.max(this.revision, upTo);
  }

  write(changes: Changes, history: readonly Committed[]): Changes {
    this.text.apply(changes);
    this.pending = [...this.pending, changes];
    // What the server makes of it: the newest of what is pending, over all that is committed.
    let pending = this.pending;
    for (const step of history.slice(this.revision)) {
      pending = step.agent === this.#number ? pending.slice(1) : rebase(pending, step.changes).pending;
    }
    expect(pending.length).toBe(1);
    return pending[0] ?? [];
  }
}

test('[TEXT18] what two people wrote at the same time ends as they saw it, on the server and for both', () => {
  const history: Committed[] = [];
  const agents = new Map<number, Agent>();
  /** For each transaction, the newest one of each agent that it knows of. */
  const known: ReadonlyMap<number, number>[] = [];
  const text = Text.from('');
  let concurrent = 0;
  for (const [index, { parents, agent: number, patches }] of trace.transactions.entries()) {
    const seen = new Map<number, number>();
    for (const parent of parents) {
      for (const [who, newest] of known[parent] ?? []) seen.set(who, Math.max(seen.get(who) ?? -1, newest));
    }
    const agent = agents.get(number) ?? new Agent(number);
    agents.set(number, agent);
    let revision = agent.revision;
    while (revision < index && revision <= (seen.get(history[revision]?.agent ?? -1) ?? -1)) revision += 1;
    agent.read(history, revision);
    if (history.slice(revision).some((step) => step.agent !== number)) concurrent += 1;

    const steps = patches.map(([position, length, inserted]) =>
      normalise([{ position, length, text: inserted }]),
    );
    const changes = agent.write(composeAll(steps), history);
    text.apply(changes);
    history.push({ agent: number, changes });
    known.push(seen.set(number, index));
  }
  for (const agent of agents.values()) agent.read(history, history.length);

  expect(text.toString()).toBe(trace.endContent);
  expect([...agents.values()].map((agent) => agent.text.toString() === trace.endContent)).toEqual([
    true,
    true,
  ]);
  // Else the trace would prove nothing.
  expect(concurrent).toBeGreaterThan(1_000);
});
