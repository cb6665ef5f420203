// The load of documents: what a broken server does to an editor's text must show.
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { WebSocketServer, type WebSocket } from 'ws';
import { nowUs } from '../../bench/lib/clock.ts';
import type { LoadFigures } from '../../bench/lib/plan.ts';
import { Editing } from '../../bench/load/editing.ts';

/** What a server sends one editor of the operation on that revision, which was to be `op`. */
type Fault = (revision: number, op: readonly unknown[]) => readonly (readonly unknown[])[];

interface Message {
  readonly a: string;
  readonly d?: string;
  readonly seq?: number;
  readonly create?: { readonly data: string };
}

const servers: WebSocketServer[] = [];
afterEach(() => {
  servers.splice(0).forEach((server) => server.close());
});

/**
 * A server for ShareDB's protocol that makes an insertion at the beginning of whatever it is sent, and whose second
 * editor gets what `fault` says.
 */
async function serve(fault: Fault, shown: (text: string) => string): Promise<number> {
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0 });
  servers.push(server);
  const editors: WebSocket[] = [];
  let text = '';
  let revision = 0;
  const edit = (from: WebSocket, { d, seq }: Message): void => {
    const op = [String(revision % 10)];
    const head = { a: 'op', c: 'documents', d, v: revision };
    editors.forEach((editor, index) => {
      if (editor === from) return;
      for (const sent of index === 1 ? fault(revision, op) : [op]) {
        editor.send(JSON.stringify({ ...head, src: 'another', seq, op: sent }));
      }
    });
    from.send(JSON.stringify({ ...head, src: 'own', seq }));
    text = `${op[0]}${text}`;
    revision += 1;
  };
  const answer = (socket: WebSocket, message: Message): void => {
    if (message.a === 'hs') {
      socket.send('{"a":"hs"}');
    } else if (message.a === 's') {
      const isReader = editors.length === 3;
      if (!isReader) editors.push(socket);
      const data = { v: revision, data: isReader ? shown(text) : text };
      socket.send(JSON.stringify({ a: 's', data }));
    } else if (message.create) {
      text = message.create.data;
      revision = 1;
      socket.send(JSON.stringify({ a: 'op', v: 0, seq: message.seq }));
    } else {
      edit(socket, message);
    }
  };
  server.on('connection', (socket) => {
    socket.on('message', (data: Buffer) => answer(socket, JSON.parse(data.toString()) as Message));
  });
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

const unchanged = (text: string): string => text;

/** Three editors for a moment, against a server with `fault` that shows its text at the end as `shown` says. */
async function play(fault: Fault, shown = unchanged): Promise<LoadFigures> {
  const editing = new Editing({
    kind: 'editing',
    protocol: 'sharedb',
    port: await serve(fault, shown),
    secret: 'secret',
    documents: ['document-0'],
    editors: 3,
    units: 100,
  });
  await editing.prepare();
  const startUs = nowUs();
  const pace = { kind: 'closed', window: 1, until: 'receipt' } as const;
  await editing.run({ pace, startUs, fromUs: startUs, untilUs: startUs + 300_000 });
  const figures = await editing.settle([], 500);
  expect(figures.receipts).toBeGreaterThan(30);
  return figures;
}

describe('load of documents', () => {
  it('[BENCH18] finds nothing wrong with editors who have what the server has', async () => {
    const figures = await play((_revision, op) => [op]);
    expect(figures).toMatchObject({ lost: 0, receiptsMissing: 0, closed: 0, refusals: [], wrong: [] });
    expect(figures.sums).toEqual({ differing: 0 });
  });

  it('[BENCH19] finds an editor who was sent another operation than the others', async () => {
    const figures = await play((revision, op) => [revision === 20 ? ['?'] : op]);
    expect(figures.wrong.join()).toContain('DIFFERENT operations 20 of document-0');
  });

  it('[BENCH20] finds an editor who was not sent an operation', async () => {
    const figures = await play((revision, op) => (revision >= 20 && revision < 30 ? [] : [op]));
    expect(figures.lost).toBeGreaterThan(0);
    expect(figures.sums).toEqual({ differing: 1 });
  });

  it('[BENCH21] finds a server that has another text than its editors', async () => {
    const figures = await play(
      (_revision, op) => [op],
      (text) => `${text.slice(0, -1)}?`,
    );
    expect(figures.sums).toEqual({ differing: 3 });
    expect(figures.wrong.join()).toContain('ANOTHER TEXT');
  });
});
