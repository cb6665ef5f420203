// What an open session does with each frame, and how it ends well.
import { afterEach, beforeEach, expect, test } from 'vitest';
import { InProcessNode, type FakeClient } from '../support/in-process-node.ts';

let node: InProcessNode;
let client: FakeClient;

beforeEach(async () => {
  node = new InProcessNode();
  client = await node.signIn('alice');
});

afterEach(() => {
  expect(node.misuses).toEqual([]);
  node.close();
});

const codes = ({ refusals }: FakeClient): string[] =>
  refusals.map(({ code, receipt }) => `${receipt} ${code}`);

test('[SESSION8] a SEND is answered by one RECEIPT when its effect is durable, and not before', async () => {
  client.subscribe('0', '/topic/a');
  await node.settle();
  node.storage.holdsCommits = true;
  const receipt = client.tell('/topic/a', 'hello');
  await node.settle();
  expect(client.receipts).toEqual(['sub-0']);
  expect(client.bodies('0')).toEqual([]);
  node.storage.nextCommit().settle();
  await node.settle();
  expect(client.receipts).toEqual(['sub-0', receipt]);
  expect(client.bodies('0')).toEqual(['hello']);
});

test('[SESSION8] a SEND whose commit fails is refused by its receipt and shown to nobody', async () => {
  client.subscribe('0', '/topic/a');
  await node.settle();
  node.storage.holdsCommits = true;
  const receipt = client.tell('/topic/a', 'hello');
  await node.settle();
  node.storage.nextCommit().reject();
  await node.settle();
  expect(codes(client)).toEqual([`${receipt} UNAVAILABLE`]);
  expect(client.receipts).toEqual(['sub-0']);
  expect(client.bodies('0')).toEqual([]);
});

test('[SESSION8] a frame that is refused keeps its session, and says what, where and by which receipt', async () => {
  client.send('SEND', { destination: '/app/nothing.here', receipt: 'r1' }, '{}');
  client.send('SEND', { receipt: 'r2' }, '{}');
  client.send('SEND', { destination: '/app/chat.send/none', receipt: 'r3' }, '{"content":"x"}');
  client.send('SEND', { destination: '/topic/room.none', receipt: 'r4' }, 'x');
  client.send('SUBSCRIBE', { destination: '/topic/a', receipt: 'r5' });
  client.send('SUBSCRIBE', { id: '5', receipt: 'r6' });
  client.send('SUBSCRIBE', { id: '6', destination: '/queue-less', receipt: 'r7' });
  client.send('UNSUBSCRIBE', { id: 'none', receipt: 'r8' });
  client.send('ACK', { id: '1-1', receipt: 'r9' });
  client.send('BEGIN', { receipt: 'r10' });
  client.send('COMMIT', { transaction: 'none', receipt: 'r11' });
  client.send('SEND', { destination: '/topic/a', 'idempotency-key': 'x'.repeat(256), receipt: 'r12' });
  await node.settle();
  expect(codes(client).toSorted()).toEqual(
    [
      'r1 NOT_FOUND',
      'r2 BAD_REQUEST',
      'r3 NOT_FOUND',
      'r4 FORBIDDEN',
      'r5 BAD_REQUEST',
      'r6 BAD_REQUEST',
      'r7 NOT_FOUND',
      'r8 NOT_FOUND',
      'r9 BAD_REQUEST',
      'r10 BAD_REQUEST',
      'r11 NOT_FOUND',
      'r12 BAD_REQUEST',
    ].toSorted(),
  );
  const third = client.refusals.find(({ receipt }) => receipt === 'r3');
  expect(third).toMatchObject({ destination: '/app/chat.send/none', roomId: 'none' });
  expect(third?.['timestamp']).toBe(new Date(node.clock.now()).toISOString());
  expect(client.receipts).toEqual([]);
  expect(client.connection.closed).toBeNull();
});

test('[SESSION8] a client that does not listen for refusals gets none, and no RECEIPT either', async () => {
  client.send('UNSUBSCRIBE', { id: 'errors' });
  client.send('SEND', { destination: '/app/nothing', receipt: 'r' }, '{}');
  await node.settle();
  expect(client.commands).toEqual(['CONNECTED']);
});

test('[SESSION8] a frame that breaks the protocol is an ERROR, and nothing behind it has an effect', async () => {
  client.subscribe('0', '/topic/a');
  await node.settle();
  const other = await node.signIn('bob');
  other.raw('SEND\ndestination:/topic/a\n\none\0HELLO\n\n\0SEND\ndestination:/topic/a\n\ntwo\0');
  await node.settle();
  expect(client.bodies('0')).toEqual(['one']);
  expect(other.commands).toEqual(['CONNECTED', 'ERROR']);
  expect(other.connection.closed?.code).toBe(1002);
});

test('[SESSION8] one session has at most so many commands that are not answered', async () => {
  node.close();
  node = new InProcessNode({ edge: { commandsInFlightMax: 3 } });
  client = await node.signIn('alice');
  node.storage.holdsCommits = true;
  for (let index = 0; index < 5; index += 1) client.tell('/topic/a', 'x');
  await node.settle();
  expect(codes(client)).toEqual(['tell-4 UNAVAILABLE', 'tell-5 UNAVAILABLE']);
  node.storage.holdsCommits = false;
  node.storage.nextCommit().settle();
  await node.settle();
  client.tell('/topic/a', 'x');
  await node.settle();
  expect(client.receipts).toEqual(['tell-1', 'tell-2', 'tell-3', 'tell-6']);
});

test('[SESSION10] the RECEIPT of DISCONNECT comes after all that was in flight, whatever falls due meanwhile', async () => {
  const leaving = await node.signIn('bob', { heartBeat: '1000,1000' });
  node.storage.holdsCommits = true;
  leaving.tell('/topic/a', 'x');
  leaving.send('DISCONNECT', { receipt: 'bye' });
  await node.pass(60_000, 1_000);
  expect(leaving.receipts).toEqual([]);
  expect(leaving.connection.closed).toBeNull();
  node.storage.nextCommit().settle();
  await node.settle();
  expect(leaving.receipts).toEqual(['tell-1', 'bye']);
  await node.pass(4_800);
  expect(leaving.connection.closed).toBeNull();
  await node.pass(400);
  expect(leaving.connection.closed?.code).toBe(1000);
  expect(node.logs.at(-1)).toMatchObject({ event: 'disconnect', user: 'bob', reason: 'client left' });
});

test('[SESSION10] DISCONNECT without a receipt closes; frames behind it have no effect', async () => {
  const looker = await node.signIn('looker');
  looker.subscribe('0', '/topic/a');
  client.raw('DISCONNECT\n\n\0SEND\ndestination:/topic/a\nreceipt:r\n\nx\0');
  await node.settle();
  expect(client.connection.closed?.code).toBe(1000);
  expect(client.receipts).toEqual([]);
  expect(looker.receipts).toEqual(['sub-0']);
  expect(looker.messages('0')).toEqual([]);
});

test('[SESSION11] a second SUBSCRIBE with a used id is refused, and the first stays', async () => {
  client.subscribe('0', '/topic/a');
  client.send('SUBSCRIBE', { id: '0', destination: '/topic/b', receipt: 'again' });
  client.tell('/topic/b', 'b');
  client.tell('/topic/a', 'a');
  await node.settle();
  expect(client.bodies('0')).toEqual(['a']);
  expect(codes(client)).toEqual(['again CONFLICT']);
});

test('[SESSION11] a subscription that ends before it began is answered, takes nothing and leaves nothing', async () => {
  client.subscribe('0', '/topic/a');
  client.send('UNSUBSCRIBE', { id: '0', receipt: 'u' });
  client.subscribe('0', '/topic/b');
  client.tell('/topic/a', 'a');
  client.tell('/topic/b', 'b');
  await node.settle();
  expect(client.bodies('0')).toEqual(['b']);
  expect(client.receipts.toSorted()).toEqual(['sub-0', 'sub-0', 'tell-1', 'tell-2', 'u']);
  client.send('UNSUBSCRIBE', { id: '0' });
  await node.settle();
  expect(node.groups[0]?.memberships).toBe(0);
});

test('[SESSION11] SUBSCRIBE and SEND of one connection take effect in that order', async () => {
  for (let index = 0; index < 20; index += 1) {
    client.subscribe(`s${index}`, `/topic/t${index}`);
    client.tell(`/topic/t${index}`, 'mine');
  }
  await node.settle();
  for (let index = 0; index < 20; index += 1) expect(client.bodies(`s${index}`)).toEqual(['mine']);
});

test('[SESSION11] a session has a bound of subscriptions, and room again when one ends', async () => {
  for (let index = 0; index < 999; index += 1)
    client.send('SUBSCRIBE', { id: `s${index}`, destination: '/topic/a' });
  client.subscribe('over', '/topic/a');
  await node.settle();
  expect(codes(client)).toEqual(['sub-over TOO_LARGE']);
  client.send('UNSUBSCRIBE', { id: 's5' });
  client.subscribe('over', '/topic/a');
  await node.settle();
  expect(client.receipts).toEqual(['sub-over']);
});

test('[SESSION11] in 1.0 a destination stands for the id of its subscription', async () => {
  const old = await node.signIn('bob', { version: '1.0' });
  old.send('SUBSCRIBE', { destination: '/topic/a' });
  old.tell('/topic/a', 'x');
  await node.settle();
  expect(old.bodies('/topic/a')).toEqual(['x']);
  old.send('UNSUBSCRIBE', { destination: '/topic/a' });
  old.tell('/topic/a', 'y');
  await node.settle();
  expect(old.bodies('/topic/a')).toEqual(['x']);
});

test('[SESSION12] bytes that are no text are sent on as bytes, also when the frame ends in a piece of text', async () => {
  client.subscribe('0', '/topic/a');
  const sender = await node.signIn('bob');
  sender.raw('SEND\ndestination:/topic/a\n\ntext\0');
  sender.raw(Buffer.from('SEND\ndestination:/topic/a\n\nalso text\0'));
  sender.raw(Buffer.from('SEND\ndestination:/topic/a\n\n\xff\xfe\0', 'latin1'));
  sender.raw(Buffer.from('SEND\ndestination:/topic/a\n\n\xff\xfe', 'latin1'));
  sender.raw(' and text\0');
  await node.settle();
  expect(client.messages('0').map(({ isText }) => isText)).toEqual([true, true, false, false]);
});

test('[SESSION12] a user that may see a destination no longer is told, and gets no more of it', async () => {
  const room = {
    room_id: 'r',
    name: 'R',
    created_by: 'alice',
    is_private: true,
    updated_at: null,
    epoch: 'e',
  };
  const member = { room_id: 'r', joined_at: 1 };
  await node.storage.commit([
    [
      { op: 'insert', table: 'chat_rooms', row: { ...room, created_at: 1 } },
      { op: 'insert', table: 'chat_room_members', row: { ...member, user_id: 'alice', role: 'ADMIN' } },
      { op: 'insert', table: 'chat_room_members', row: { ...member, user_id: 'bob', role: 'MEMBER' } },
    ],
  ]);
  const bob = await node.signIn('bob');
  for (const one of [client, bob]) one.subscribe('m', '/topic/room.r');
  bob.subscribe('e', '/topic/room.r.events');
  await node.settle();
  const edge = node.edges[0];
  const fields = [
    'room/r',
    'removeMember',
    ['alice', []],
    { userId: 'bob' },
    null,
    null,
    Buffer.alloc(0),
    true,
  ] as const;
  const ignore = { answered: () => undefined, refused: () => undefined };
  edge?.portOf('room/r').request({ op: 1, fields }, ignore);
  client.tell('/app/chat.send/r', '{"content":"secret"}');
  await node.settle();
  expect(client.messages('m')).toHaveLength(1);
  expect(bob.messages('m')).toEqual([]);
  expect(bob.refusals.map(({ code, destination }) => `${code} ${destination}`)).toEqual([
    'FORBIDDEN /topic/room.r',
    'FORBIDDEN /topic/room.r.events',
  ]);
  // It was told of its own leaving before that.
  expect(bob.messages('e')).toHaveLength(1);
  expect(bob.connection.closed).toBeNull();
});
