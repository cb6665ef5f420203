// What the server says, read by another decoder of MessagePack.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Delivery } from '../../../src/edge/delivery.ts';
import type { Addressee, Dialect, Own } from '../../../src/edge/dialect.ts';
import { FanOut } from '../../../src/edge/fan-out.ts';
import { msgpackDialect } from '../../../src/edge/msgpack/dialect.ts';
import type { Session } from '../../../src/edge/session.ts';
import { Subscription } from '../../../src/edge/subscription.ts';
import { FakeConnection, FakeGroups } from '../../support/fake-connection.ts';
import { name, pack, text, unpack } from './arbitrary.ts';

const seq = fc.oneof(
  fc.nat({ max: 400 }),
  fc.maxSafeNat(),
  fc.constantFrom(0x7f, 0x80, 0xff, 0x100, 0xffff, 0x1_0000, 0xffff_ffff, 0x1_0000_0000, 2 ** 53 - 1),
);
const body = fc.oneof(
  { weight: 50, arbitrary: fc.uint8Array({ maxLength: 300 }) },
  { weight: 1, arbitrary: fc.constant(new Uint8Array(70_000).fill(0xc1)) },
);
const headers = fc.array(fc.tuple(text, text), { maxLength: 40 }).map((pairs) => Object.fromEntries(pairs));
const own = fc.record<Own>({
  ack: fc.option(text),
  recovered: fc.constantFrom(true, false, null),
  redelivered: fc.boolean(),
});
/** As clients may write a name, and as the server does. */
const meantName = (given: string): string | number =>
  /^(?:0|[1-9]\d{0,9})$/.test(given) && Number(given) <= 0xffff_ffff ? Number(given) : given;

/** A frame as others read it: bytes as hexadecimal, and what is left out as null. */
function elementsOf(frame: Uint8Array, length: number): unknown[] {
  const elements = unpack(frame) as unknown[];
  // The shortest form is what others write too, but for numbers that they take for floats.
  if (!elements.some((element) => typeof element === 'number' && element > 0xffff_ffff)) {
    expect(Buffer.from(frame).toString('hex')).toBe(Buffer.from(pack(elements)).toString('hex'));
  }
  expect(elements.at(-1)).not.toBeNull();
  return Array.from({ length }, (_none, index) => {
    const element = elements[index] ?? null;
    if (element instanceof Map) return Object.fromEntries(element);
    return element instanceof Uint8Array ? Buffer.from(element).toString('hex') : element;
  });
}

describe('what the server says in MessagePack', () => {
  test('[BIN20] [BIN3] MESSAGE', () => {
    const message = fc.tuple(seq, fc.option(headers), body, fc.boolean());
    const id = fc.oneof(fc.constant(null), fc.nat(), text);
    const to = fc.record<Addressee>({ id: name.map(String), isPattern: fc.boolean() });
    const parts = fc.tuple(text, fc.option(text), message, id);
    fc.assert(
      fc.property(parts, to, fc.option(own), ([destination, epoch, all, given], addressee, mine) => {
        const delivery = new Delivery(destination, epoch, all, given);
        const frame = delivery.frame(msgpackDialect, addressee, mine);
        const flags =
          (mine?.recovered === true ? 1 : 0) +
          (mine?.recovered === false ? 2 : 0) +
          (mine?.redelivered === true ? 4 : 0);
        expect(
          elementsOf(frame, 10).map((element, index) => (index === 8 ? (element ?? 0) : element)),
        ).toEqual([
          17,
          meantName(addressee.id),
          Buffer.from(all[2]).toString('hex'),
          epoch === null ? null : all[0],
          epoch,
          all[1],
          addressee.isPattern ? destination : null,
          mine?.ack ?? null,
          flags,
          typeof given === 'string' ? given : null,
        ]);
      }),
      { numRuns: 2_000, seed: 7 },
    );
  });

  test('[BIN20] CONNECTED, RECEIPT and ERROR', () => {
    fc.assert(
      fc.property(fc.tuple(text, text, text, text), seq, name.map(String), ([a, b, c, d], ms, receipt) => {
        const connected = msgpackDialect.connected({ session: a, user: b, heartBeatMs: ms });
        expect(elementsOf(connected, 5)).toEqual([16, 1, a, b, ms]);
        expect(elementsOf(msgpackDialect.receipt(receipt), 2)).toEqual([18, meantName(receipt)]);
        const failure = { code: a, message: c, detail: d };
        const alone = msgpackDialect.failure({ ...failure, receipt: null });
        expect(elementsOf(alone, 5)).toEqual([19, a, c, d, null]);
        const answered = msgpackDialect.failure({ ...failure, receipt });
        expect(elementsOf(answered, 5)).toEqual([19, a, c, d, meantName(receipt)]);
      }),
      { numRuns: 500, seed: 7 },
    );
    expect(unpack(msgpackDialect.heartBeat)).toEqual([]);
  });

  test('[BIN18] frames keep what they say while others are written', () => {
    const made = Array.from({ length: 3_000 }, (_none, index) => {
      const bytes = Buffer.alloc(index % 7 === 0 ? 30_000 : 100, index);
      return new Delivery('/topic/a', 'e', [index, null, bytes, true], null).frame(
        msgpackDialect,
        { id: '1', isPattern: false },
        null,
      );
    });
    for (const [index, frame] of made.entries()) {
      const [, , bytes, number] = unpack(frame) as [number, number, Buffer, number];
      expect([number, bytes.every((octet) => octet === index % 256)]).toEqual([index, true]);
    }
  });

  test('[BIN18] a message is encoded once, and published once for all subscriptions of one name', () => {
    let blocks = 0;
    const counted: Dialect = Object.create(msgpackDialect, {
      block: {
        value: (delivery: Delivery) => {
          blocks += 1;
          return msgpackDialect.block(delivery);
        },
      },
      ofText: { get: () => counted },
    }) as Dialect;
    const groups = new FakeGroups();
    const fanOut = new FanOut(groups, () => undefined);
    const source = {
      type: 'stream',
      destination: '/topic/a',
      shown: '/topic/a',
      actor: 'topic/a',
      stream: 'messages',
      params: null,
    } as const;
    for (const [index, id] of ['1', '1', '1', '2', 'x'].entries()) {
      const connection = new FakeConnection(
        groups,
        () => 0,
        () => undefined,
      );
      const session = { dialect: counted, connection } as unknown as Session;
      connection.send = () => undefined;
      fanOut.add(
        new Subscription({ number: index, session, id, source, ack: 'auto', from: null, receipt: null }),
      );
    }
    fanOut.publish('/topic/a', 'e', [1, null, Buffer.from('x'), true], true);
    expect([blocks, groups.published]).toEqual([1, 3]);
  });
});
