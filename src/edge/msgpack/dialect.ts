// What the server says in arrays of MessagePack; their elements are in the tables of SPEC.md.
import type { Delivery } from '../delivery.ts';
import type { Addressee, Connected, Dialect, Failure, Own } from '../dialect.ts';
import type { Headers } from '../../link/messages.ts';
import { Flag, protocolVersion, ServerCommand } from './commands.ts';
import { ValueWriter } from './value-writer.ts';

/** A whole frame: the array that holds nothing is a heart-beat. */
export const emptyArray = 0x90;

/** Elements of a MESSAGE before its block: its command and subscription. */
const elementsBefore = 2;
/** Elements of a block that leaves nothing out: body, seq, epoch, headers. */
const blockElementsMax = 4;

/** One frame after the other. */
const writer = new ValueWriter();

class MsgpackDialect implements Dialect {
  readonly name = `msgpack ${protocolVersion}`;
  readonly key = 'msgpack';
  readonly isText = false;
  readonly idsAreOptional = false;
  readonly ofText = this;
  readonly heartBeat = new Uint8Array([emptyArray]);

  connected({ session, user, heartBeatMs }: Connected): Uint8Array {
    writer.begin();
    writer.array(5);
    writer.number(ServerCommand.connected);
    writer.number(protocolVersion);
    writer.text(session);
    writer.text(user);
    writer.number(heartBeatMs);
    return writer.take();
  }

  receipt(receipt: string): Uint8Array {
    writer.begin();
    writer.array(2);
    writer.number(ServerCommand.receipt);
    writer.name(receipt);
    return writer.take();
  }

  failure({ code, message, detail, receipt }: Failure): Uint8Array {
    writer.begin();
    writer.array(receipt === null ? 4 : 5);
    writer.number(ServerCommand.error);
    writer.text(code);
    writer.text(message);
    writer.text(detail);
    if (receipt !== null) writer.name(receipt);
    return writer.take();
  }

  /** Its first byte is the number of its elements. */
  block({ epoch, message: [seq, headers, body] }: Delivery): Uint8Array {
    const elements = headers !== null ? blockElementsMax : epoch !== null ? 3 : 1;
    writer.begin();
    writer.octet(elements);
    writer.binary(body);
    if (elements > 1) {
      if (epoch === null) writer.nil();
      else writer.number(seq);
      writer.textOrNil(epoch);
    }
    if (headers !== null) writeHeaders(headers);
    return writer.take();
  }

  message(block: Uint8Array, delivery: Delivery, to: Addressee, own: Own | null): Uint8Array {
    const blockElements = block[0] as number;
    const after = elementsAfter(delivery, to, own);
    const inBlock = after.length === 0 ? blockElements : blockElementsMax;
    writer.begin();
    writer.array(elementsBefore + inBlock + after.length);
    writer.number(ServerCommand.message);
    writer.name(to.id);
    writer.raw(block, 1);
    for (let missing = inBlock - blockElements; missing > 0; missing--) writer.nil();
    for (const element of after) {
      if (typeof element === 'number') writer.number(element);
      else writer.textOrNil(element);
    }
    return writer.take();
  }
}

const nothing: readonly (string | number | null)[] = [];

/** Destination, what to acknowledge, flags and id, up to the last that is there. */
function elementsAfter(
  { destination, id }: Delivery,
  { isPattern }: Addressee,
  own: Own | null,
): readonly (string | number | null)[] {
  const shownId = typeof id === 'string' ? id : null;
  if (own === null && !isPattern && shownId === null) return nothing;
  const flags = own === null ? 0 : flagsOf(own);
  const all = [isPattern ? destination : null, own?.ack ?? null, flags, shownId];
  while (all.at(-1) === null || all.at(-1) === 0) all.pop();
  return all;
}

function flagsOf({ recovered, redelivered }: Own): number {
  const recovery = recovered === null ? 0 : recovered ? Flag.recovered : Flag.notRecovered;
  return recovery | (redelivered ? Flag.redelivered : 0);
}

function writeHeaders(headers: Headers): void {
  const names = Object.keys(headers);
  writer.map(names.length);
  for (const name of names) {
    writer.text(name);
    writer.text(headers[name] as string);
  }
}

/** The one for all sessions. */
export const msgpackDialect: Dialect = new MsgpackDialect();
