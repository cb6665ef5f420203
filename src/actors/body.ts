// Bodies of commands and messages: bytes on the way, values inside a turn.
import { isUtf8 } from 'node:buffer';
import type { output, ZodType } from 'zod';
import { Refusal } from '../errors.ts';
import type { Headers } from '../link/messages.ts';
import { wordsOf } from './wording.ts';

/** Bytes as they came in or go out. */
export interface Body {
  readonly bytes: Uint8Array;
  /** Whether the bytes are UTF-8 text. */
  readonly isText: boolean;
}

/** What a command carries, before it is decoded. */
export interface RawBody extends Body {
  /** Headers of the SEND that its sender meant for the receivers; null for a command that does not pass them on. */
  readonly headers: Headers | null;
}

/** Decodes a command's body, or throws a Refusal. */
export interface Decoder<Value> {
  (raw: RawBody): Value;
  /** The shape it takes, where that is JSON. */
  readonly schema?: ZodType;
}

/** A time of a body: ISO-8601, UTC, milliseconds. */
export function isoTime(milliseconds: number): string {
  return new Date(milliseconds).toISOString();
}

export function jsonBody(value: unknown): Body {
  return { bytes: Buffer.from(JSON.stringify(value)), isText: true };
}

/** For commands without a body: whatever came is ignored. */
export const nothing: Decoder<null> = () => null;

/** For commands that pass their body on as it came. */
export const raw: Decoder<RawBody> = (body) => body;

const surrogateEscape = /\\u[dD][89a-fA-F]/;
// From left to right, so that an escaped backslash is not taken for the start of an escape: a pair, the first four
// characters of half a pair, or any other escape.
const escapes = /\\(?:u[dD][89abAB]..\\u[dD][c-fC-F]|u[dD][89a-fA-F]|[^])/g;

/**
 * Whether JSON spells half of a surrogate pair. No UTF-8 and no database can hold it, so those who see a message
 * live and those who read it later would see two different texts.
 */
function holdsHalfPair(text: string): boolean {
  if (!surrogateEscape.test(text)) return false;
  return text.match(escapes)?.some(({ length }) => length === 4) === true;
}

/** A field that may be missing or null, which is how many serialisers write a field that is not set. */
export function optional<Value, const Fallback = undefined>(schema: ZodType<Value>, fallback?: Fallback) {
  const field = fallback === undefined ? schema.nullish() : schema.nullish().meta({ default: fallback });
  return field.transform((value) => value ?? (fallback as Fallback));
}

/** JSON of a given shape. Unknown fields are ignored, as a newer client may send them. */
export function json<Schema extends ZodType>(schema: Schema): Decoder<output<Schema>> {
  const decode = ({ bytes }: RawBody): output<Schema> => {
    if (!isUtf8(bytes)) throw new Refusal('BAD_REQUEST', 'The body is not UTF-8 text.');
    const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch {
      throw new Refusal('BAD_REQUEST', 'The body is not JSON.');
    }
    if (holdsHalfPair(text)) {
      throw new Refusal('BAD_REQUEST', 'The body holds half of a surrogate pair.');
    }
    const parsed = schema.safeParse(value, { reportInput: true });
    if (parsed.success) return parsed.data;
    throw new Refusal('BAD_REQUEST', wordsOf(parsed.error.issues[0]));
  };
  return Object.assign(decode, { schema });
}
