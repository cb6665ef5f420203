// The load's WebSocket client against the `ws` package: as a codec, and as a server.
import fc from 'fast-check';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import * as ws from 'ws';
import { makeDeferred } from '../../bench/lib/deferred.ts';
import { WebSocketClient, type WebSocketListener } from '../../bench/lib/websocket-client.ts';
import { encodeMessage, FrameReader } from '../../bench/lib/websocket-frames.ts';

interface FrameOptions {
  fin: boolean;
  opcode: number;
  mask: boolean;
  readOnly: boolean;
  rsv1: boolean;
}
// The package exports both, its types do not.
const { Sender, Receiver } = ws as unknown as {
  Sender: { frame(data: Buffer, options: FrameOptions): Buffer[] };
  Receiver: new (options: { isServer: boolean }) => {
    on(event: 'message', listener: (data: Buffer, isBinary: boolean) => void): void;
    write(bytes: Buffer): void;
  };
};

interface Piece {
  readonly opcode: number;
  readonly payload: Uint8Array;
  readonly final: boolean;
}

const payload = fc.oneof(
  fc.uint8Array({ maxLength: 130 }),
  fc.integer({ min: 65_530, max: 65_540 }).map((length) => new Uint8Array(length).fill(7)),
);
/** A message in one to three frames, with a ping before each. */
const fragmented = fc.array(payload, { minLength: 1, maxLength: 3 }).map((parts): readonly Piece[] =>
  parts.flatMap((part, index) => [
    { opcode: 9, payload: new Uint8Array([index]), final: true },
    { opcode: index === 0 ? 1 : 0, payload: part, final: index === parts.length - 1 },
  ]),
);

function bytesOf({ opcode, payload: data, final }: Piece): Buffer {
  const options = { fin: final, opcode, mask: false, readOnly: true, rsv1: false };
  return Buffer.concat(Sender.frame(Buffer.from(data), options));
}

/** Cuts `bytes` at the given places and copies each piece into the same memory, as a read buffer is reused. */
function readInPieces(
  reader: FrameReader,
  bytes: Buffer,
  cuts: readonly number[],
): { got: Buffer[]; pings: number } {
  const got: Buffer[] = [];
  let pings = 0;
  const shared = Buffer.alloc(bytes.length);
  const places = [...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length].toSorted((a, b) => a - b);
  let from = 0;
  for (const to of places) {
    shared.fill(0xff);
    bytes.copy(shared, 0, from, to);
    reader.read(shared.subarray(0, to - from), {
      message: (source, start, end) => got.push(Buffer.from(source.subarray(start, end))),
      ping: () => pings++,
      closing: () => undefined,
    });
    from = to;
  }
  return { got, pings };
}

describe('websocket frames', () => {
  it('[BENCH4] reads what ws writes, however it is cut', () => {
    const cuts = fc.array(fc.nat(), { maxLength: 40 });
    fc.assert(
      fc.property(fc.array(fragmented, { maxLength: 5 }), cuts, (messages, places) => {
        const pieces = messages.flat();
        const { got, pings } = readInPieces(new FrameReader(), Buffer.concat(pieces.map(bytesOf)), places);
        const sent = messages.map((parts) =>
          Buffer.concat(parts.filter(({ opcode }) => opcode !== 9).map(({ payload: data }) => data)),
        );
        // As text: comparing buffers element by element takes seconds.
        const text = (data: Buffer): string => data.toString('latin1');
        expect(got.map(text)).toEqual(sent.map(text));
        expect(pings).toBe(pieces.length / 2);
      }),
      { numRuns: 60 },
    );
  });

  it('[BENCH5] writes what ws reads', async () => {
    const masks = fc.uint8Array({ minLength: 4, maxLength: 4 });
    const texts = fc.oneof(fc.string({ maxLength: 200 }), fc.constant('x'.repeat(65_536)));
    const messages = fc.oneof(texts, fc.uint8Array({ maxLength: 200 }));
    await fc.assert(
      fc.asyncProperty(messages, masks, async (message, mask) => {
        const receiver = new Receiver({ isServer: true });
        const received = makeDeferred<[data: Buffer, isBinary: boolean]>();
        receiver.on('message', (data, isBinary) => received.resolve([data, isBinary]));
        receiver.write(encodeMessage(message, Buffer.from(mask)));
        const [data, isBinary] = await received.promise;
        expect(isBinary).toBe(typeof message !== 'string');
        expect(data.equals(Buffer.from(message))).toBe(true);
      }),
      { numRuns: 40 },
    );
  });

  it('[BENCH6] refuses masked frames, frames out of place and endless ones', () => {
    const nobody = { message: () => undefined, ping: () => undefined, closing: () => undefined };
    const read = (bytes: number[]): void => new FrameReader().read(Buffer.from(bytes), nobody);
    expect(() => read([0x81, 0x80, 0, 0, 0, 0])).toThrow('masked');
    expect(() => read([0x80, 0x00])).toThrow('out of place');
    expect(() => read([0x82, 127, 0, 0, 0, 1, 0, 0, 0, 0])).toThrow('frame of');
  });
});

describe('websocket client', () => {
  const servers: ws.WebSocketServer[] = [];
  afterEach(() => {
    servers.splice(0).forEach((server) => server.close());
  });

  async function serve(onConnection: (socket: ws.WebSocket) => void): Promise<number> {
    const server = new ws.WebSocketServer({ host: '127.0.0.1', port: 0 });
    servers.push(server);
    server.on('connection', onConnection);
    await once(server, 'listening');
    return (server.address() as AddressInfo).port;
  }

  function connectTo(port: number, listener: Partial<WebSocketListener>): WebSocketClient {
    const nothing = (): void => undefined;
    return new WebSocketClient(
      { port, requestTarget: '/', subprotocol: undefined },
      { opened: nothing, message: nothing, closed: nothing, ...listener },
    );
  }

  it('[BENCH7] exchanges messages, answers pings and closes cleanly', async () => {
    const ponged = makeDeferred();
    const serverClosed = makeDeferred<number>();
    const port = await serve((socket) => {
      socket.on('message', (data: Buffer) => {
        socket.send(data.subarray(0, 3), { fin: false, binary: false });
        socket.send(data.subarray(3), { fin: true, binary: false });
        socket.ping('now');
      });
      socket.on('pong', () => ponged.resolve());
      socket.on('close', (code) => serverClosed.resolve(code));
    });
    const echoed = makeDeferred<string>();
    const closed = makeDeferred<string>();
    const client = connectTo(port, {
      opened: () => client.send('an echo, please'),
      message: (bytes, start, end) => echoed.resolve(bytes.toString('utf8', start, end)),
      closed: (reason) => closed.resolve(reason),
    });
    expect(await echoed.promise).toBe('an echo, please');
    await ponged.promise;
    client.close();
    expect(await serverClosed.promise).toBe(1000);
    expect(await closed.promise).toBe('closed by the client');
  });

  it('[BENCH8] tells why the server closed', async () => {
    const port = await serve((socket) => socket.close(1013));
    const closed = makeDeferred<string>();
    connectTo(port, { closed: (reason) => closed.resolve(reason) });
    expect(await closed.promise).toContain('1013');
  });
});
