// Contract of stores: values that break naive ones.
import { describe, expect, it } from 'vitest';
import type { Fixture } from './contract-fixture.ts';
import { insert, message, noon, remove, room, topic, topicMessage, upsert } from './rows.ts';

const kibibyte = 1024;

/** Texts that break naive stores. */
const hostileTexts = [
  '',
  'it\'s a "quote" `tick` \\ -- ; DROP TABLE chat_rooms; /* %_ ? :a @b $c */',
  'nul\0inside\0',
  '\u{1F600}\u{10FFFF}\uFEFF\u202E\r\n\t',
  'e\u0301 \u00E9',
  'NULL',
  '007',
  'x'.repeat(60 * kibibyte),
];
const halfPairs = ['\uD800', 'a\uDC00b'];

export function valueRules({ write, query, roomRow, seqs }: Fixture): void {
  describe('hostile values', () => {
    it('[STORE19] texts are data, in rows, keys and arguments', async () => {
      for (const [index, text] of hostileTexts.entries()) {
        // As long as every store takes an id.
        const id = text.slice(0, 34);
        const row = message({
          room_id: id,
          message_id: `id${id}`,
          sender_id: id,
          content: text,
          seq: index,
        });
        await write(insert('chat_rooms', room({ room_id: id, name: id })), insert('chat_messages', row));
        expect(await roomRow(id)).toEqual([room({ room_id: id, name: id })]);
        const args = { roomId: id, after: -1, limit: 9 };
        expect(await query({ name: 'roomMessagesAfter', args })).toEqual([row]);
        const byId = { roomId: id, messageId: `id${id}` };
        expect(await query({ name: 'roomMessageSeq', args: byId })).toEqual([{ seq: index }]);
        await write({ op: 'mark_read', roomId: id, readerId: id, after: -1, upto: 9, at: noon });
        expect((await query({ name: 'roomMessagesAfter', args }))[0]?.status).toBe('SENT');
        await write(remove('chat_rooms', { room_id: id }));
        expect(await roomRow(id)).toEqual([]);
      }
    });

    it('[STORE19] half a surrogate pair becomes U+FFFD everywhere', async () => {
      for (const text of halfPairs) {
        const kept = text.replace(/\p{Surrogate}/u, '\uFFFD');
        await write(upsert('chat_rooms', room({ room_id: text, name: text })));
        expect(await roomRow(kept)).toEqual([room({ room_id: kept, name: kept })]);
        expect(await roomRow(text)).toEqual([room({ room_id: kept, name: kept })]);
        await write(insert('chat_messages', message({ room_id: text, message_id: text, sender_id: text })));
        expect(await seqs(text)).toEqual([1]);
        await write({ op: 'mark_read', roomId: text, readerId: text, after: 0, upto: 9, at: noon });
        const args = { roomId: text, after: 0, limit: 9 };
        expect((await query({ name: 'roomMessagesAfter', args }))[0]?.status).toBe('SENT');
      }
    });

    it('[STORE19] bytes are kept as they are', async () => {
      const bodies = [
        Buffer.alloc(0),
        Buffer.from([0]),
        new Uint8Array(64 * kibibyte).map((_, index) => index % 251),
        new Uint8Array([9, 1, 2, 3, 9]).subarray(1, 4),
      ];
      await write(
        insert('topics', topic()),
        ...bodies.map((body, seq) => insert('topic_messages', topicMessage({ seq, body }))),
      );
      const args = { topic: 'news', after: -1, limit: 9 };
      const rows = await query({ name: 'topicMessagesAfter', args });
      expect(rows.map(({ body }) => Buffer.from(body).toString('hex'))).toEqual(
        bodies.map((body) => Buffer.from(body).toString('hex')),
      );
    });

    it('[STORE19] whole numbers up to 2^53-1 and times from year 0 to 9999 are exact', async () => {
      const largest = Number.MAX_SAFE_INTEGER;
      const times = [
        0,
        1,
        -1,
        Date.parse('0000-01-01T00:00:00.000Z'),
        Date.parse('9999-12-31T23:59:59.999Z'),
      ];
      await write(insert('chat_rooms', room()), insert('chat_messages', message({ seq: largest })));
      expect(await query({ name: 'roomHead', args: { roomId: 'lobby' } })).toEqual([{ seq: largest }]);
      const newest = { roomId: 'lobby', after: largest - 1, limit: 9 };
      expect(await query({ name: 'roomMessagesAfter', args: newest })).toHaveLength(1);
      expect(
        await query({
          name: 'roomMessagesBefore',
          args: { roomId: 'lobby', before: largest, limit: 9 },
        }),
      ).toEqual([]);
      for (const time of times) {
        await write(upsert('chat_rooms', room({ created_at: time, updated_at: time })));
        expect(await roomRow()).toEqual([room({ created_at: time, updated_at: time })]);
      }
    });
  });
}
