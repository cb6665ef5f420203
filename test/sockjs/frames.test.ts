// Frames as text: what goes in comes out, and nothing in it is what browsers can't take.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  closeFrame,
  decodeMessages,
  joinQuoted,
  messageFrame,
  quotedIn,
} from '../../src/edge/sockjs/frames.ts';

const fragile = new RegExp(
  String.raw`[\u0000-\u001f\u200c-\u200f\u2028-\u202f\u2060-\u206f\ud800-\udfff\ufff0-\uffff]`,
);
const text = fc.string({ unit: 'binary' });
const units = fc.array(fc.integer({ min: 0, max: 0xffff })).map((codes) => String.fromCharCode(...codes));

function expectSafe(frame: Uint8Array): string {
  const written = Buffer.from(frame).toString();
  expect(fragile.test(written)).toBe(false);
  return written;
}

describe('messages', () => {
  test('[SOCKJS20] come out as they went in, whatever they hold, and the frame holds nothing fragile', () => {
    fc.assert(
      fc.property(fc.oneof(text, units), (message) => {
        const written = expectSafe(messageFrame(message));
        expect(written.startsWith('a[')).toBe(true);
        expect(JSON.parse(written.slice(1))).toEqual([message]);
      }),
    );
  });

  test('[SOCKJS20] of bytes are the text that they are', () => {
    fc.assert(
      fc.property(text, (message) => {
        expect(messageFrame(Buffer.from(`x${message}x`).subarray(1, -1))).toEqual(
          messageFrame(Buffer.from(message)),
        );
        expect(messageFrame(Buffer.from(message))).toEqual(messageFrame(message));
      }),
    );
  });

  test('[SOCKJS6] are joined into one frame as they stand', () => {
    fc.assert(
      fc.property(fc.array(text, { minLength: 1 }), (messages) => {
        const frame = joinQuoted(messages.map((message) => quotedIn(messageFrame(message))));
        expect(JSON.parse(expectSafe(frame).slice(1))).toEqual(messages);
      }),
    );
  });

  test('[SOCKJS13] are read from any JSON list of strings, and from nothing else', () => {
    fc.assert(
      fc.property(fc.json(), fc.boolean(), (json, spaced) => {
        const value: unknown = JSON.parse(json);
        const decoded = decodeMessages(Buffer.from(spaced ? ` ${json}\n` : json));
        const isList = Array.isArray(value) && value.every((one) => typeof one === 'string');
        expect(decoded).toEqual(isList ? { messages: value } : { defect: 'empty' });
      }),
    );
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1 }), (bytes) => {
        const decoded = decodeMessages(bytes);
        expect('defect' in decoded || Array.isArray(decoded.messages)).toBe(true);
      }),
    );
  });
});

test('[SOCKJS8] a close frame is a list of a code and a reason', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1000, max: 4999 }), text, (code, reason) => {
      expect(JSON.parse(expectSafe(closeFrame(code, reason)).slice(1))).toEqual([code, reason]);
    }),
  );
});
