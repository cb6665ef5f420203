// The tables of the binary protocol in SPEC.md, sent to a real server byte by byte.
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { openBinary, pack, type BinaryClient } from '../support/msgpack-client.ts';
import { startServer, type TestServer } from '../support/server.ts';

const document = readFileSync(new URL('../../../SPEC.md', import.meta.url), 'utf8');
const section = document.slice(document.indexOf('\n## Binary protocol\n'));

function tableAfter(heading: string): string[][] {
  const lines = section.slice(section.indexOf(heading)).split('\n');
  const start = lines.findIndex((line) => line.startsWith('| ---'));
  const rows: string[][] = [];
  for (const line of lines.slice(start + 1)) {
    if (!line.startsWith('|')) break;
    rows.push(line.split('|').map((cell) => cell.trim().replaceAll('`', '')));
  }
  return rows;
}

const bytesOf = (hex: string): Buffer => Buffer.from(hex.replaceAll(' ', ''), 'hex');

/** The bytes of a line, with what is made up in its place. */
function fill(hex: string, known: ReadonlyMap<string, Buffer>): Buffer {
  const parts = hex.split(/(\{\w+\})/);
  return Buffer.concat(parts.map((part) => known.get(part) ?? bytesOf(part)));
}

/** Whether what came is the line; what the server has made up is learned from it. */
function learn(hex: string, came: Buffer, known: Map<string, Buffer>): void {
  let at = 0;
  for (const part of hex.split(/(\{\w+\})/)) {
    if (part.startsWith('{') && !known.has(part)) {
      const length =
        (came[at] as number) < 0xc0 ? 1 + ((came[at] as number) & 0x1f) : 2 + (came[at + 1] as number);
      known.set(part, came.subarray(at, at + length));
    }
    at += (known.get(part) ?? bytesOf(part)).length;
  }
}

async function openSigned(server: TestServer): Promise<BinaryClient> {
  const client = await openBinary(server);
  client.say(1, 1, await server.token('alice'));
  await client.waitFor(({ command }) => command === 0x10, 'CONNECTED');
  return client;
}

describe('the binary protocol of SPEC.md', () => {
  test('[BIN2] [BIN4] its conversation is what a server says, byte for byte', async () => {
    const server = await startServer();
    const client = await openBinary(server);
    const known = new Map([['{token}', pack(await server.token('alice'))]]);
    let heard = 0;
    const rows = tableAfter('### A conversation');
    expect(rows.length).toBeGreaterThan(25);
    for (const [, from = '', hex = ''] of rows) {
      if (from === 'client') client.socket.send(fill(hex, known));
      else {
        heard += 1;
        await client.waitFor(() => client.frames.length >= heard, hex);
        const { bytes } = client.frames[heard - 1] as { bytes: Buffer };
        // An epoch is one of a destination.
        for (const made of ['{epoch}', '{ack}', '{id}']) known.delete(made);
        learn(hex, bytes, known);
        expect(bytes.toString('hex')).toBe(fill(hex, known).toString('hex'));
      }
    }
    expect(client.frames).toHaveLength(heard);
  });

  test('[BIN2] [BIN7] its frames that are none end the connection with their code', async () => {
    const server = await startServer();
    const rows = tableAfter('Frames that end a connection');
    expect(rows.length).toBeGreaterThan(10);
    for (const [, hex = '', code = ''] of rows) {
      const client = await openSigned(server);
      client.socket.send(bytesOf(hex));
      const failure = await client.failure();
      expect([hex, failure.code, failure.closed.code]).toEqual([hex, code, 1002]);
    }
  });

  test('[BIN2] its numbers of commands are those of a real conversation', () => {
    const said = tableAfter('### What a client says').map(([, name, elements = '']) => [
      name,
      elements.slice(0, 2),
    ]);
    const names = [
      'CONNECT',
      'SEND',
      'SUBSCRIBE',
      'UNSUBSCRIBE',
      'ACK',
      'NACK',
      'BEGIN',
      'COMMIT',
      'ABORT',
      'DISCONNECT',
    ];
    expect(said).toEqual(names.map((name, index) => [name, (index + 1).toString(16).padStart(2, '0')]));
    const heard = tableAfter('### What the server says').map(([, name, elements = '']) => [
      name,
      elements.slice(0, 2),
    ]);
    expect(heard).toEqual([
      ['CONNECTED', '10'],
      ['MESSAGE', '11'],
      ['RECEIPT', '12'],
      ['ERROR', '13'],
    ]);
  });
});
