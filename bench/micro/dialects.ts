// What an edge spends on the bytes of a chat message in each dialect: microseconds of one thread for reading its SEND,
// for writing its MESSAGE (once for all subscribers that share it) and for writing its RECEIPT.
import { performance } from 'node:perf_hooks';
import { stdout } from 'node:process';
import { Packr } from 'msgpackr';
import { Delivery } from '../../src/edge/delivery.ts';
import type { Conversation } from '../../src/edge/dialect.ts';
import { MsgpackConversation } from '../../src/edge/msgpack/conversation.ts';
import { StompConversation } from '../../src/edge/stomp/conversation.ts';
import { newEpoch, newId } from '../../src/lib/random.ts';
import { headLimits } from '../../src/limits.ts';

const calls = 100_000;
const rounds = 15;
const limits = { ...headLimits, frameBytesMax: 64 * 1024 };

const roomId = newId();
const sent = Buffer.from(`{"content":"${'.'.repeat(64)}"}`);
const published = Buffer.from(
  JSON.stringify({
    messageId: newId(),
    roomId,
    senderId: 'user-123',
    content: '.'.repeat(64),
    messageType: 'TEXT',
    status: 'SENT',
    createdAt: '2026-01-01T00:00:00.000Z',
    seq: 12_345,
  }),
);
const destination = `/app/chat.send/${roomId}`;
const stompSend = Buffer.from(
  `SEND\ndestination:${destination}\nreceipt:12345678\ncontent-length:${sent.length}\n\n${sent.toString()}\0`,
);
const packr = new Packr({ useRecords: false, variableMapSize: true });
const msgpackSend = new Uint8Array(packr.pack([2, destination, sent, 12_345_678]));
const epoch = newEpoch();
const to = { id: '1', isPattern: false };

/** The least of the rounds: whatever else the machine does only adds. */
function microseconds(task: () => unknown): number {
  let least = Number.POSITIVE_INFINITY;
  for (let round = 0; round < rounds; round++) {
    const before = performance.now();
    for (let call = 0; call < calls; call++) task();
    least = Math.min(least, ((performance.now() - before) * 1000) / calls);
  }
  return least;
}

function lineOf(name: string, conversation: Conversation, send: Uint8Array, isText: boolean): string {
  const { dialect } = conversation;
  const headersRead = { count: 0 };
  const read = microseconds(() =>
    conversation.push(send, isText, ({ headers }) => {
      for (const header of ['destination', 'receipt', 'idempotency-key', 'transaction']) {
        if (headers.get(header) !== undefined) headersRead.count += 1;
      }
    }),
  );
  const write = microseconds(() =>
    new Delivery(`/topic/room.${roomId}`, epoch, [12_345, null, published, true], null).frame(
      dialect,
      to,
      null,
    ),
  );
  const receipt = microseconds(() => dialect.receipt('12345678'));
  const figures = [read, write, receipt].map((figure) => figure.toFixed(2));
  return `| ${[name, ...figures, (read + write + receipt).toFixed(2)].join(' | ')} |\n`;
}

stdout.write('| dialect | read SEND µs | write MESSAGE µs | write RECEIPT µs | together |\n');
stdout.write('| --- | --- | --- | --- | --- |\n');
stdout.write(lineOf('stomp 1.2', new StompConversation(limits, 'plain'), stompSend, true));
stdout.write(lineOf('msgpack 1', new MsgpackConversation(limits), msgpackSend, false));
