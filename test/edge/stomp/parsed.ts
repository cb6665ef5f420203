// What the STOMP suites share: limits, bytes from text, and a parse whose outcome is plain data to compare.
import { ProtocolError, type Frame, type FrameLimits } from '../../../src/edge/frame.ts';
import type { StompVersion } from '../../../src/edge/stomp/version.ts';
import { StompParser } from '../../../src/edge/stomp/parser.ts';

export const VERSIONS: readonly StompVersion[] = ['1.0', '1.1', '1.2'];

export const roomyLimits: FrameLimits = { frameBytesMax: 65_536, headersMax: 64, headerBytesMax: 8_192 };

export interface ParsedFrame {
  readonly command: string;
  readonly headers: readonly (readonly [string, string])[];
  /** One character per byte. */
  readonly body: string;
}

export interface Parsed {
  readonly frames: readonly ParsedFrame[];
  readonly error: { readonly code: string; readonly message: string } | null;
  /** The most memory the parser held between two chunks, in bytes. */
  readonly bufferedBytesMax: number;
}

export function bytesOf(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

export function copyFrame(frame: Frame): ParsedFrame {
  return {
    command: frame.command,
    headers: [...frame.headers],
    body: Buffer.from(frame.body).toString('latin1'),
  };
}

/** Parses chunks to the end or to the first ProtocolError; any other error is thrown on. */
export function parse(
  version: StompVersion,
  chunks: readonly Uint8Array[],
  limits: FrameLimits = roomyLimits,
): Parsed {
  const parser = new StompParser(limits);
  parser.version = version;
  const frames: ParsedFrame[] = [];
  let bufferedBytesMax = 0;
  try {
    for (const chunk of chunks) {
      parser.push(chunk, (frame) => frames.push(copyFrame(frame)));
      bufferedBytesMax = Math.max(bufferedBytesMax, parser.bufferedBytes);
    }
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    return { frames, error: { code: error.code, message: error.message }, bufferedBytesMax };
  }
  return { frames, error: null, bufferedBytesMax };
}

/** Cuts bytes at the given places, which may be in any order, repeated, or beyond the end. */
export function cut(bytes: Uint8Array, places: readonly number[]): Uint8Array[] {
  const sorted = places.filter((place) => place < bytes.length).toSorted((a, b) => a - b);
  const edges = [0, ...sorted, bytes.length];
  return edges.slice(1).map((edge, index) => bytes.subarray(edges[index], edge));
}
