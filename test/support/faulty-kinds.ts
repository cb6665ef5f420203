// The built-in kinds with faults that a test can ask for, and an edge that fails on demand. Every thread loads this
// module: what is for actors happens in shards, what is for edges in edges.
//
// A SEND to a plain topic with the body
// - `fault:throw` throws at the end of the turn, when the state is changed and everything is written and published;
// - `fault:exit` ends the shard thread there with process.exit, `fault:uncaught` with an uncaught exception;
// - `fault:exit-committing` ends it so when the commit of that turn is on its way to the storage thread;
// - `fault:flush-fails` lets every flush of SQLite's log fail from then on, `fault:flush-hangs` take `slowMs`, and
//   `fault:flush-works` work again: in the thread of the shard, so only where the database is there;
// - `fault:slow` blocks the shard thread for `slowMs` and is then like any other, `fault:hang` for good.
//
// A SEND to
// - `/app/edge.throw` throws in the edge's callback;
// - `/app/edge.uncaught` is an uncaught exception in the edge thread, `/app/edge.reject` an unhandled rejection.
// A connection with the URL token `throw-on-open` throws in the callback that opens it.
import fs from 'node:fs';
import type { AnyKind } from '../../src/actors/actor.ts';
import { kinds as builtInKinds } from '../../src/actors/kinds.ts';
import { topicKind } from '../../src/actors/kinds/topic.ts';
import { Edge } from '../../src/edge/edge.ts';
import { RouteTable } from '../../src/edge/route-table.ts';

/** Longer than a heart-beat of one second. */
export const slowMs = 1_200;

function block(forMs?: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, forMs);
}

const flush = fs.fdatasyncSync;

/** Calls `task` so many turns of the event loop from now. */
function afterTurns(turns: number, task: () => void): void {
  setImmediate(() => (turns === 1 ? task() : afterTurns(turns - 1, task)));
}

function fail(fault: string): void {
  switch (fault) {
    case 'fault:throw':
      throw new Error('a fault that the test asked for');
    case 'fault:exit':
      return process.exit(3);
    case 'fault:exit-committing':
      // The gate hands the writes to the link, the link sends them, and no answer can have come.
      return afterTurns(3, () => process.exit(3));
    case 'fault:uncaught':
      setImmediate(() => {
        throw new Error('an uncaught fault that the test asked for');
      });
      return;
    case 'fault:flush-fails':
      fs.fdatasyncSync = () => {
        throw new Error('EIO: a flush fails as the test asked for');
      };
      return;
    case 'fault:flush-hangs':
      fs.fdatasyncSync = (descriptor) => {
        block(slowMs);
        flush(descriptor);
      };
      return;
    case 'fault:flush-works':
      fs.fdatasyncSync = flush;
      return;
    case 'fault:slow':
      return block(slowMs);
    case 'fault:hang':
      return block();
  }
}

function withFaults(kind: AnyKind): AnyKind {
  const { send, ...commands } = kind.commands;
  if (!send) throw new Error(`${kind.name} has no command send`);
  const receive: typeof send.receive = (state, body, ctx, rows) => {
    send.receive(state, body, ctx, rows);
    fail(Buffer.from((body as { bytes: Uint8Array }).bytes).toString());
  };
  return { ...kind, commands: { ...commands, send: { ...send, receive } } };
}

export const kinds: readonly AnyKind[] = builtInKinds.map((kind) =>
  kind === topicKind ? withFaults(kind) : kind,
);

const edgeFaults: Readonly<Record<string, () => void>> = {
  '/app/edge.throw': () => {
    throw new Error('an edge fault that the test asked for');
  },
  '/app/edge.uncaught': () => {
    setImmediate(() => {
      throw new Error('an uncaught edge fault that the test asked for');
    });
  },
  '/app/edge.reject': () => {
    void Promise.reject(new Error('a rejection in the edge that the test asked for'));
  },
};

/** Calls `before` with the arguments of every call of a method, ahead of the method itself. */
function precede(prototype: object, name: string, before: (...parameters: unknown[]) => void): void {
  const method = Reflect.get(prototype, name) as (...parameters: unknown[]) => unknown;
  Reflect.set(prototype, name, function preceded(this: unknown, ...parameters: unknown[]): unknown {
    before(...parameters);
    return Reflect.apply(method, this, parameters);
  });
}

precede(RouteTable.prototype, 'find', (_method, path) => edgeFaults[String(path)]?.());
precede(Edge.prototype, 'open', (_connection, urlToken) => {
  if (urlToken === 'throw-on-open') throw new Error('an edge fault that the test asked for');
});
