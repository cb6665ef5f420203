// Resume: a SUBSCRIBE that says how far the client had come gets what it missed, or is told that it can't.
import { beforeAll, describe, expect, test } from 'vitest';
import { DatabaseView } from '../support/database.ts';
import { connectOnEveryEdge, layouts } from '../support/layouts.ts';
import { createRoom, range, sendMany, seqOf } from '../support/rooms.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { connectStomp, type ReceivedFrame } from '../support/stomp.ts';
import { streamKinds, topicStream, type TestStream } from '../support/streams.ts';

const recoveredOf = ({ headers }: ReceivedFrame): string | undefined => headers['recovered'];

/** Sends messages `from`..`to`, each with its number as its text. */
async function write(server: TestServer, stream: TestStream, from: number, to: number): Promise<void> {
  const sender = await connectStomp(server, { user: 'alice' });
  const bodies = range(from, to).map((number) => stream.body(String(number)));
  await sendMany(sender, stream.sendTo, bodies);
  await sender.disconnect();
}

/** The epoch of a stream, as any subscriber sees it. */
async function epochOf(server: TestServer, stream: TestStream): Promise<string> {
  const client = await connectStomp(server, { user: 'alice' });
  await client.subscribe(stream.destination, { resume: 'unreadable' });
  const [lost] = await client.messages(stream.destination, 1);
  await client.disconnect();
  return String(lost?.headers['epoch']);
}

describe.each(layouts)('$name', (layout) => {
  let server: TestServer;

  beforeAll(async () => {
    server = await startServer({ settings: layout.settings });
  });

  test.each(streamKinds)(
    '[RESUME1] what was missed comes once, in order, then what is live: %s',
    async (_what, make) => {
      const stream = await make(server);
      await write(server, stream, 1, 500);
      const epoch = await epochOf(server, stream);
      for (const client of await connectOnEveryEdge(server, layout, { user: 'bob' })) {
        const id = await client.subscribe(stream.destination, { resume: `${epoch}:120` });
        // The RECEIPT says that it is live: by then all that was missed is there.
        const missed = client.received(stream.destination);
        expect(missed.map(seqOf)).toEqual(range(121, 500));
        expect(missed.map(stream.textOf)).toEqual(range(121, 500).map(String));
        expect(missed.map(recoveredOf)).toEqual(['true', ...Array(379).fill(undefined)]);
        expect(missed.every(({ headers }) => headers['subscription'] === id)).toBe(true);
        expect(new Set(missed.map(({ headers }) => headers['epoch']))).toEqual(new Set([epoch]));
        await client.unsubscribe(id);
      }
      const [client] = await connectOnEveryEdge(server, layout, { user: 'bob' });
      await client?.subscribe(stream.destination, { resume: `${epoch}:0` });
      await write(server, stream, 501, 510);
      const all = await client?.messages(stream.destination, 510);
      expect(all?.map(seqOf)).toEqual(range(1, 510));
      expect(all?.map(recoveredOf)).toEqual(['true', ...Array(509).fill(undefined)]);
    },
  );

  test.each(streamKinds)(
    '[RESUME2] where nothing was missed the first live message says so: %s',
    async (_what, make) => {
      const stream = await make(server);
      await write(server, stream, 1, 3);
      const resume = `${await epochOf(server, stream)}:3`;
      const client = await connectStomp(server, { user: 'bob' });
      const late = await connectStomp(server, { user: 'bob' });
      await client.subscribe(stream.destination, { resume });
      await late.subscribe(stream.destination, { id: 'sub-1', resume });
      expect(client.received(stream.destination)).toEqual([]);
      await write(server, stream, 4, 6);
      for (const one of [client, late]) {
        const live = await one.messages(stream.destination, 3);
        expect(live.map(seqOf)).toEqual([4, 5, 6]);
        expect(live.map(recoveredOf)).toEqual(['true', undefined, undefined]);
      }
    },
  );

  test.each(streamKinds)(
    '[RESUME3] what can not be answered is told at once, with where the stream stands: %s',
    async (_what, make) => {
      const stream = await make(server);
      await write(server, stream, 1, 5);
      const epoch = await epochOf(server, stream);
      const positions = [
        ['', ':', 'nonsense', epoch, `${epoch}:`, ':5', `${epoch}:-1`, `${epoch}:1.5`, `${epoch}:0x1`],
        ['0123456789ab:2', `${epoch}x:2`, `${epoch}:2:3`, `${epoch} :2`, '\\', `${'x'.repeat(900)}:1`],
        [`${epoch}:6`, `${epoch}:999999999999999`, `${epoch}:99999999999999999999`],
      ].flat();
      const client = await connectStomp(server, { user: 'bob' });
      for (const [index, resume] of positions.entries()) {
        const id = await client.subscribe(stream.destination, { id: `s${index}`, resume });
        const [lost, ...more] = client.frames.filter(({ headers }) => headers['subscription'] === id);
        expect(lost?.body, resume).toBe('');
        expect(lost?.headers, resume).toMatchObject({ recovered: 'false', seq: '5', epoch });
        expect(more).toEqual([]);
      }
      await write(server, stream, 6, 7);
      for (const index of positions.keys()) {
        const isOf = ({ headers }: ReceivedFrame): boolean => headers['subscription'] === `s${index}`;
        const [, ...live] = await client.waitForMany(3, isOf);
        expect(live.map(seqOf)).toEqual([6, 7]);
        expect(live.map(recoveredOf)).toEqual([undefined, undefined]);
      }
    },
  );

  test.each(streamKinds)(
    '[RESUME4] what `recovered: false` says is a place to resume from: %s',
    async (_what, make) => {
      const stream = await make(server);
      // Before the first message too.
      for (const written of [0, 3]) {
        const client = await connectStomp(server, { user: 'bob' });
        await client.subscribe(stream.destination, { resume: 'x:1' });
        const [lost] = await client.messages(stream.destination, 1);
        expect(lost?.headers).toMatchObject({ recovered: 'false', seq: String(written) });
        await write(server, stream, written + 1, written + 3);
        const again = await connectStomp(server, { user: 'bob' });
        const resume = `${lost?.headers['epoch']}:${lost?.headers['seq']}`;
        await again.subscribe(stream.destination, { resume });
        const missed = again.received(stream.destination);
        expect(missed.map(seqOf)).toEqual(range(written + 1, written + 3));
        expect(missed.map(recoveredOf)).toEqual(['true', undefined, undefined]);
      }
    },
  );

  test.each(streamKinds)(
    '[RESUME5] epoch and positions outlive the server, however it ended: %s',
    async (_what, make) => {
      const stream = await make(server);
      await write(server, stream, 1, 10);
      const epoch = await epochOf(server, stream);
      let written = 10;
      for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
        await server.stop(signal);
        server = await server.restart();
        expect(await epochOf(server, stream)).toBe(epoch);
        const client = await connectStomp(server, { user: 'bob' });
        await client.subscribe(stream.destination, { resume: `${epoch}:4` });
        await write(server, stream, written + 1, written + 2);
        written += 2;
        const messages = await client.messages(stream.destination, written - 4);
        expect(messages.map(seqOf)).toEqual(range(5, written));
        expect(messages.map(recoveredOf)[0]).toBe('true');
        expect(new Set(messages.map(({ headers }) => headers['epoch']))).toEqual(new Set([epoch]));
      }
    },
  );

  test('[RESUME6] who may not read a room may not resume it', async () => {
    const roomId = await createRoom(server, 'alice', { isPrivate: true });
    const bob = await connectStomp(server, { user: 'bob' });
    for (const resume of ['x:1', 'unreadable', '']) {
      const refusal = { code: 'FORBIDDEN', roomId };
      const subscribed = bob.subscribe(`/topic/room.${roomId}`, { resume });
      await expect(subscribed).rejects.toMatchObject({ refusal });
    }
    expect(bob.received(`/topic/room.${roomId}`)).toEqual([]);
  });

  test('[RESUME7] where nothing is kept, resume is told so at once', async () => {
    const roomId = await createRoom(server, 'alice');
    const bob = await connectStomp(server, { user: 'bob' });
    const destinations = [`/topic/room.${roomId}.events`, '/user/queue/x', '/topic/any/*'];
    for (const destination of destinations) {
      const id = await bob.subscribe(destination, { resume: 'x:1' });
      const [lost, ...more] = bob.frames.filter(({ headers }) => headers['subscription'] === id);
      expect(lost?.headers).toMatchObject({ destination, recovered: 'false' });
      expect(lost?.headers).not.toHaveProperty('seq');
      expect(lost?.headers).not.toHaveProperty('epoch');
      expect(lost?.body).toBe('');
      expect(more).toEqual([]);
    }
    await bob.send('/user/bob/queue/x', 'a');
    const [, live] = await bob.messages('/user/queue/x', 2);
    expect(live?.headers).not.toHaveProperty('recovered');
  });

  test.each(['1.0', '1.1', '1.2'])(
    '[RESUME8] every version of STOMP and every way to acknowledge resumes: %s',
    async (version) => {
      const stream = await topicStream();
      await write(server, stream, 1, 5);
      const resume = `${await epochOf(server, stream)}:2`;
      const client = await connectStomp(server, { user: 'bob', version });
      for (const ack of ['auto', 'client', 'client-individual']) {
        const id = await client.subscribe(stream.destination, { id: ack, ack, resume });
        const missed = client.frames.filter(({ headers }) => headers['subscription'] === id);
        expect(missed.map(seqOf)).toEqual([3, 4, 5]);
        expect(missed.map(recoveredOf)).toEqual(['true', undefined, undefined]);
      }
      await write(server, stream, 6, 6);
      const live = await client.waitForMany(3, ({ headers }) => headers['seq'] === '6');
      expect(live.map(recoveredOf)).toEqual([undefined, undefined, undefined]);
    },
  );
});

test('[RESUME9] a topic keeps its newest messages; who is further behind is told', async () => {
  const server = await startServer();
  const stream = await topicStream();
  const sender = await connectStomp(server, { user: 'alice' });
  const database = new DatabaseView(server.databaseUrl);
  let written = 0;
  while ((stream.stored(database)[0]?.seq ?? 1) === 1) {
    await sendMany(sender, stream.sendTo, range(written + 1, written + 1_000).map(String));
    written += 1_000;
    expect(written).toBeLessThan(30_000);
  }
  const oldest = stream.stored(database)[0]?.seq ?? 0;
  expect(stream.stored(database).map(({ seq }) => seq)).toEqual(range(oldest, written));
  database.close();
  const epoch = await epochOf(server, stream);
  for (const restarted of [false, true]) {
    const current = restarted ? await server.kill().then(() => server.restart()) : server;
    const client = await connectStomp(current, { user: 'bob' });
    await client.subscribe(stream.destination, { resume: `${epoch}:${oldest - 1}` });
    const kept = client.received(stream.destination);
    expect(kept.map(seqOf)).toEqual(range(oldest, written));
    expect(kept.map(stream.textOf)).toEqual(range(oldest, written).map(String));
    const late = await connectStomp(current, { user: 'bob' });
    await late.subscribe(stream.destination, { resume: `${epoch}:${oldest - 2}` });
    expect(late.received(stream.destination)).toMatchObject([
      { body: '', headers: { recovered: 'false', seq: String(written), epoch } },
    ]);
  }
});
