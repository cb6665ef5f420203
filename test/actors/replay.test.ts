// Replays on a shard: page by page, with whatever cursor comes back.
import { describe, expect, test } from 'vitest';
import { replayKind } from '../../src/actors/kinds/replay.ts';
import { ToEdge } from '../../src/link/messages.ts';
import type { Transaction } from '../../src/storage/storage.ts';
import { messageRow, roomRows } from '../support/chat-rows.ts';
import { FakeStorage } from '../support/fake-storage.ts';
import { range } from '../support/rooms.ts';
import { rounds, TestShard } from './test-shard.ts';

const madeAt = Date.UTC(2026, 0, 2);
const queue = '/user/alice/queue/replay';

class Replays extends TestShard {
  private constructor(storage: FakeStorage) {
    super({}, { storage, kinds: [replayKind] });
  }

  /** Alice listens. */
  static async with(stored: Transaction): Promise<Replays> {
    const storage = new FakeStorage();
    await storage.commit([stored]);
    const replays = new Replays(storage);
    replays.subscribe({ actor: 'replay/alice', stream: 'messages', destination: queue });
    await rounds();
    return replays;
  }

  /** One page: the answer, and where the next one begins. */
  async page(
    asked: unknown,
    cursor: string | null,
  ): Promise<{ answer: string | null; cursor: string | null }> {
    const params = cursor === null ? null : { cursor };
    const request = this.ask('replay', { actor: 'replay/alice', params, body: JSON.stringify(asked) });
    await rounds();
    const reply = this.edge.messages.find((one) => one[0] === ToEdge.reply && one[1] === request);
    const next = reply?.[0] === ToEdge.reply ? (reply[3] ?? null) : null;
    return { answer: this.edge.answer(request), cursor: next };
  }

  /** All pages; how many there were. */
  async replayAll(asked: unknown): Promise<number> {
    let pages = 0;
    let cursor: string | null = null;
    do {
      const page = await this.page(asked, cursor);
      expect(page.answer).toBe('ok');
      cursor = page.cursor;
      pages += 1;
    } while (cursor !== null);
    return pages;
  }

  acknowledge(seq: number): Promise<string | null> {
    const body = JSON.stringify({ messageId: `a-${seq}` });
    return this.answerOf('acknowledge', { actor: 'replay/alice', params: { roomId: 'a' }, body });
  }

  /** Ids of the messages that came up to now. */
  get came(): unknown[] {
    return this.edge.texts(queue).map((text) => (JSON.parse(text) as Record<string, unknown>)['messageId']);
  }
}

describe('pages', () => {
  test('[REPLAY30] a page may end anywhere, also among messages of one millisecond', async () => {
    const rooms = ['a', 'b', 'c'];
    const replays = await Replays.with([
      ...rooms.flatMap((room) => roomRows(room, ['alice'], madeAt)),
      ...rooms.flatMap((room) =>
        range(1, 170).map((seq) => messageRow(room, seq, madeAt + Math.floor(seq / 100))),
      ),
    ]);
    const pages = await replays.replayAll({ since: madeAt - 1 });
    const ids = (from: number, to: number): string[] =>
      rooms.flatMap((room) => range(from, to).map((seq) => `${room}-${seq}`));
    expect(replays.came).toEqual([...ids(1, 99), ...ids(100, 170)]);
    expect(pages).toBe(3);
  });

  test('[REPLAY30] large messages make small pages', async () => {
    const content = 'x'.repeat(8_000);
    const replays = await Replays.with([
      ...roomRows('a', ['alice'], madeAt),
      ...range(1, 100).map((seq) => messageRow('a', seq, madeAt + seq, content)),
    ]);
    expect(await replays.replayAll({ since: 0 })).toBe(4);
    expect(replays.came).toEqual(range(1, 100).map((seq) => `a-${seq}`));
  });

  test('[REPLAY4] who is taken out of the room between two pages gets no more of it', async () => {
    const replays = await Replays.with([
      ...roomRows('a', ['alice'], madeAt),
      ...range(1, 500).map((seq) => messageRow('a', seq, madeAt + seq)),
    ]);
    for (const asked of [{ since: 0 }, { roomId: 'a', lastMessageId: 'a-1' }, { since: 0, roomId: 'a' }]) {
      await replays.storage.commit([
        [
          {
            op: 'upsert',
            table: 'chat_room_members',
            row: { room_id: 'a', user_id: 'alice', role: 'MEMBER', joined_at: madeAt },
          },
        ],
      ]);
      let { cursor } = await replays.page(asked, null);
      if ('roomId' in asked) ({ cursor } = await replays.page(asked, cursor));
      const before = replays.came.length;
      expect(before % 200).toBe(0);
      await replays.storage.commit([
        [{ op: 'delete', table: 'chat_room_members', key: { room_id: 'a', user_id: 'alice' } }],
      ]);
      expect(await replays.page(asked, cursor)).toEqual({ answer: 'ok', cursor: null });
      expect(replays.came).toHaveLength(before);
    }
  });

  test.each([
    '',
    'x',
    '1:2',
    ':1:a',
    '1::a',
    '-1:1:a',
    '1.5:1:a',
    '9999999999999999:1:a',
    '253402300800000:1:a',
  ])('[REPLAY32] what is no cursor of ours is BAD_REQUEST: "%s"', async (cursor) => {
    const replays = await Replays.with([...roomRows('a', ['alice'], madeAt), messageRow('a', 1, madeAt)]);
    expect(await replays.page({ since: 0 }, cursor)).toEqual({ answer: 'BAD_REQUEST', cursor: null });
    expect(replays.came).toEqual([]);
  });

  test('[REPLAY32] a forged cursor shows nothing of the rooms of others', async () => {
    const replays = await Replays.with([
      ...roomRows('a', ['alice'], madeAt),
      ...roomRows('b', ['bob'], madeAt),
      messageRow('a', 1, madeAt),
      messageRow('b', 1, madeAt),
      messageRow('b', 2, madeAt),
    ]);
    for (const asked of [{ since: 0 }, { since: 0, roomId: 'b' }, { roomId: 'b', lastMessageId: 'b-1' }]) {
      for (const cursor of ['9:0:0:', '9:0:1:b', `9:${madeAt}:1:b`]) await replays.page(asked, cursor);
    }
    expect(new Set(replays.came)).toEqual(new Set(['a-1']));
  });
});

describe('acknowledgements', () => {
  test('[REPLAY24] of more than 1,000 ranges the oldest are forgotten: better twice than never', async () => {
    const replays = await Replays.with([
      ...roomRows('a', ['alice'], madeAt),
      ...range(1, 2_010).map((seq) => messageRow('a', seq, madeAt + seq)),
    ]);
    for (const index of range(1, 1_002)) expect(await replays.acknowledge(2 * index)).toBe('ok');
    const args = { userId: 'alice' };
    const [row] = await replays.storage.query({ name: 'replayAcks', args });
    const ranges = JSON.parse(row?.ranges ?? '') as unknown[];
    expect(ranges).toHaveLength(1_000);
    expect(ranges[0]).toEqual([6, 6]);
    await replays.replayAll({ since: 0 });
    const expected = range(1, 2_010).filter((seq) => seq < 6 || seq > 2_004 || seq % 2 === 1);
    expect(replays.came).toEqual(expected.map((seq) => `a-${seq}`));
  });

  test('[REPLAY20] one that is known already is not written again, and neighbours become one range', async () => {
    const replays = await Replays.with([
      ...roomRows('a', ['alice'], madeAt),
      ...range(1, 5).map((seq) => messageRow('a', seq, madeAt + seq)),
    ]);
    for (const seq of [1, 3, 2, 5]) await replays.acknowledge(seq);
    const commits = replays.storage.commits.length;
    expect(await replays.acknowledge(2)).toBe('ok');
    expect(replays.storage.commits).toHaveLength(commits);
    const [row] = await replays.storage.query({ name: 'replayAcks', args: { userId: 'alice' } });
    expect(row?.ranges).toBe('[[1,3],[5,5]]');
  });
});
