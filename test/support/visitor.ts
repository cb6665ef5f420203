// A program that uses the client and leaves: `node visitor.js URL TOKEN`. It prints what it hears and what its listeners
// throw, and at last what would keep it from ending.
import { WebSocket } from 'ws';
import { Stagewire } from '../../src/client/index.ts';

const [, , url = '', token = ''] = process.argv;
const print = (line: string): void => void process.stdout.write(`${line}\n`);
const socket = (address: string): WebSocket => new WebSocket(address);

process.on('uncaughtException', ({ message }) => print(`thrown: ${message}`));

const client = new Stagewire({ url, token, socket });
// Nobody listens there.
const lost = new Stagewire({ url: 'ws://127.0.0.1:1/ws', token, socket, backoffMs: 1 });
const lostTwice = new Promise<void>((resolve) => {
  lost.onState((state) => state.name === 'waiting' && state.attempt > 2 && resolve());
});
const heardAll = new Promise<void>((resolve) => {
  client.topics.on('/topic/visitors', {
    message({ body }) {
      print(`heard: ${body}`);
      if (body === '9') resolve();
      throw new Error(`at ${body}`);
    },
  });
});
client.connect();
lost.connect();
const waiting = lost
  .send('/topic/visitors', 'never')
  .catch(({ code }: { code: string }) => print(`lost: ${code}`));
const document = client.documents.open('visited');
await new Promise<void>((resolve) => {
  document.onEvent(({ type }) => type === 'reset' && resolve());
});
document.insert(0, 'seen');
document.placeCursor(4);
await Promise.all(Array.from({ length: 10 }, (_, index) => client.send('/topic/visitors', String(index))));
await Promise.all([heardAll, lostTwice, document.settled()]);
document.close();
await Promise.all([client.close(), lost.close(), waiting]);
const kept = ['Timeout', 'TCPSocketWrap', 'ConnectWrap'];
print(
  `kept by: ${process
    .getActiveResourcesInfo()
    .filter((one) => kept.includes(one))
    .join()}`,
);
