// Cuts a session's byte stream into frames. Frames are read in place out of the chunk they came in; only a
// frame that spans chunks is copied, into a buffer that lives until that frame is whole.
import type { Frame, FrameLimits } from '../frame.ts';
import { FrameReader } from './frame-reader.ts';
import type { StompVersion } from './version.ts';

const LF = 10;
const CR = 13;
const FIRST_BUFFER_BYTES = 128;

/** The bytes so far of a frame that is not whole. */
interface PartialFrame {
  readonly reader: FrameReader;
  bytes: Uint8Array;
  length: number;
}

export class StompParser {
  /** Decides how headers are unescaped; to be set within the callback of the CONNECT frame. */
  version: StompVersion = '1.2';
  readonly #limits: FrameLimits;
  #partial: PartialFrame | null = null;
  #isStopped = false;

  /** `limits` is kept, not copied: thousands of parsers share one. */
  constructor(limits: FrameLimits) {
    this.#limits = limits;
  }

  /** Bytes of memory held for a frame that is not whole: 0 when idle, never above `frameBytesMax`. */
  get bufferedBytes(): number {
    return this.#partial === null ? 0 : this.#partial.bytes.length;
  }

  /**
   * Takes the next bytes of the stream and calls `onFrame` for each frame they make whole, in order; line ends
   * between frames are heart-beats and pass in silence. Nothing of `chunk` is kept after the call. `onFrame`
   * must not call `push`.
   * @throws ProtocolError when the stream breaks the protocol or a limit, after the frames before that point
   * were handed over; also whatever `onFrame` throws. After a throw the parser is stopped.
   */
  push(chunk: Uint8Array, onFrame: (frame: Frame) => void): void {
    if (this.#isStopped) return;
    try {
      this.#read(chunk, onFrame);
    } catch (error) {
      this.stop();
      throw error;
    }
  }

  /** Ignores everything from here on, the rest of the present chunk too. */
  stop(): void {
    this.#isStopped = true;
    this.#partial = null;
  }

  #read(chunk: Uint8Array, onFrame: (frame: Frame) => void): void {
    let start = this.#partial === null ? 0 : this.#readPartial(this.#partial, chunk, onFrame);
    while (!this.#isStopped) {
      start = skipLineEnds(chunk, start);
      if (start === chunk.length) return;
      const reader = new FrameReader(this.#limits);
      const length = reader.read(chunk, start, chunk.length, this.version);
      if (length === 0) {
        this.#partial = { reader, bytes: NO_BYTES, length: 0 };
        this.#append(this.#partial, chunk.subarray(start));
        return;
      }
      onFrame(reader.frame(chunk, start, length));
      start += length;
    }
  }

  /** Returns where in `chunk` the next frame may start. */
  #readPartial(partial: PartialFrame, chunk: Uint8Array, onFrame: (frame: Frame) => void): number {
    const before = partial.length;
    // What does not fit in the limit is not taken: the reader either ends the frame before it or throws.
    const room = this.#limits.frameBytesMax - before;
    this.#append(partial, chunk.length > room ? chunk.subarray(0, room) : chunk);
    const length = partial.reader.read(partial.bytes, 0, partial.length, this.version);
    if (length === 0) return chunk.length;
    this.#partial = null;
    onFrame(partial.reader.frame(partial.bytes, 0, length));
    return length - before;
  }

  // Grows by doubling with what has come, never with what content-length announces: an announcement is free.
  #append(partial: PartialFrame, more: Uint8Array): void {
    const length = partial.length + more.length;
    if (length > partial.bytes.length) {
      const wanted = Math.max(length, partial.bytes.length * 2, FIRST_BUFFER_BYTES);
      const grown = new Uint8Array(Math.min(wanted, this.#limits.frameBytesMax));
      grown.set(partial.bytes);
      partial.bytes = grown;
    }
    partial.bytes.set(more, partial.length);
    partial.length = length;
  }
}

const NO_BYTES = new Uint8Array(0);

// A lone CR passes too: telling it from half a CRLF at the end of a chunk would need a memory of its own.
function skipLineEnds(bytes: Uint8Array, start: number): number {
  let at = start;
  while (at < bytes.length && (bytes[at] === LF || bytes[at] === CR)) at++;
  return at;
}
