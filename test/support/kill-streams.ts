// Rooms and plain topics that everybody sends to while the server is ended.
import { expectKept, expectOnce, type Load } from './kill-rounds.ts';
import { Participant } from './participant.ts';
import { range } from './rooms.ts';
import type { TestServer } from './server.ts';
import { connectStomp } from './stomp.ts';
import { roomStream, topicStream, type TestStream } from './streams.ts';

interface Said {
  readonly stream: TestStream;
  readonly text: string;
}

export async function streamsLoad(server: TestServer): Promise<Load> {
  const streams = [
    await roomStream(server),
    await roomStream(server),
    await topicStream(),
    await topicStream(),
  ];
  const first = await connectStomp(server, { user: 'alice' });
  for (const stream of streams) await first.send(stream.sendTo, stream.body(`first of ${stream.sendTo}`));

  const sender = (user: string): Participant<Said> =>
    new Participant({
      user,
      follows: streams,
      lanes: 6,
      next: (_self, number) => ({
        stream: streams[number % streams.length] as TestStream,
        text: `${user} ${number}`,
      }),
      ask: ({ client }, key, { stream, text }) =>
        client.send(stream.sendTo, stream.body(text), { 'idempotency-key': key }),
    });
  const participants = range(1, 4).map((number) => sender(`user-${number}`));

  return {
    participants,
    check(database) {
      const texts = streams.flatMap((stream) => stream.stored(database).map(({ text }) => text));
      const stored = expectOnce(texts);
      for (const { answered } of participants) {
        expectKept(
          Array.from(answered.values(), ({ what }) => what.text),
          stored,
        );
      }
    },
  };
}
