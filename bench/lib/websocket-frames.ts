// The client's half of RFC 6455 framing: masked text out, frames in, parsed in place in the read buffer.

/** Longest message accepted from a server: more than any target has reason to send. */
const messageBytesMax = 1 << 20;

const opcodes = { continuation: 0x0, text: 0x1, binary: 0x2, close: 0x8, ping: 0x9, pong: 0xa } as const;

export interface FrameListener {
  /** A whole message: `bytes[start, end)`, valid only during the call. */
  message(bytes: Buffer, start: number, end: number): void;
  /** A ping whose payload must go back in a pong. */
  ping(payload: Buffer): void;
  /** The server's close frame; 1005 when it gave no code. */
  closing(code: number): void;
}

function encodeFrame(opcode: number, payload: Uint8Array, mask: Buffer): Buffer {
  const extended = payload.length < 126 ? 0 : payload.length < 65_536 ? 2 : 8;
  const frame = Buffer.allocUnsafe(2 + extended + 4 + payload.length);
  frame[0] = 0x80 | opcode;
  if (extended === 0) {
    frame[1] = 0x80 | payload.length;
  } else if (extended === 2) {
    frame[1] = 0x80 | 126;
    frame.writeUInt16BE(payload.length, 2);
  } else {
    frame[1] = 0x80 | 127;
    frame.writeBigUInt64BE(BigInt(payload.length), 2);
  }
  const start = 2 + extended + 4;
  mask.copy(frame, start - 4, 0, 4);
  for (let index = 0; index < payload.length; index++) {
    frame[start + index] = (payload[index] ?? 0) ^ (mask[index & 3] ?? 0);
  }
  return frame;
}

/** One message, of text or of bytes, in one masked frame; `mask` is four bytes. */
export function encodeMessage(message: string | Uint8Array, mask: Buffer): Buffer {
  return typeof message === 'string'
    ? encodeFrame(opcodes.text, Buffer.from(message), mask)
    : encodeFrame(opcodes.binary, message, mask);
}

/** A pong that answers a ping with that payload. */
export function encodePong(payload: Buffer, mask: Buffer): Buffer {
  return encodeFrame(opcodes.pong, payload, mask);
}

/** A close frame with `code` and no reason. */
export function encodeClose(code: number, mask: Buffer): Buffer {
  const payload = Buffer.allocUnsafe(2);
  payload.writeUInt16BE(code);
  return encodeFrame(opcodes.close, payload, mask);
}

/**
 * Cuts what a server sends into messages, however TCP has cut it. Whole frames are handed on where they lie;
 * only the beginning of a frame that has not arrived whole is copied.
 */
export class FrameReader {
  #rest: Buffer = Buffer.alloc(0);
  readonly #fragments: Buffer[] = [];
  #fragmentsBytes = 0;

  /**
   * Reads `chunk`, which the caller may reuse afterwards.
   * @throws Error when the server breaks the framing rules or sends more than `messageBytesMax`.
   */
  read(chunk: Buffer, listener: FrameListener): void {
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    let at = 0;
    for (
      let next = this.#frameAt(bytes, at, listener);
      next > at;
      next = this.#frameAt(bytes, at, listener)
    ) {
      at = next;
    }
    this.#rest = at === bytes.length ? Buffer.alloc(0) : Buffer.from(bytes.subarray(at));
  }

  /** Handles the frame that starts at `at` and returns where it ends, or `at` when it is not there whole. */
  #frameAt(bytes: Buffer, at: number, listener: FrameListener): number {
    const available = bytes.length - at;
    if (available < 2) {
      return at;
    }
    const second = bytes.readUInt8(at + 1);
    const headerBytes = second === 126 ? 4 : second === 127 ? 10 : 2;
    if (second >= 0x80) {
      throw new Error('the server masked a frame');
    }
    if (available < headerBytes) {
      return at;
    }
    const length =
      headerBytes === 2
        ? second
        : bytes.readUIntBE(at + headerBytes - (headerBytes === 4 ? 2 : 6), headerBytes === 4 ? 2 : 6);
    if (length > messageBytesMax) {
      throw new Error(`the server sent a frame of ${length} bytes`);
    }
    const start = at + headerBytes;
    if (available < headerBytes + length) {
      return at;
    }
    this.#dispatch(bytes, { first: bytes.readUInt8(at), start, end: start + length }, listener);
    return start + length;
  }

  #dispatch(
    bytes: Buffer,
    frame: { first: number; start: number; end: number },
    listener: FrameListener,
  ): void {
    const { first, start, end } = frame;
    const opcode = first & 0x0f;
    const final = first >= 0x80;
    if (opcode === opcodes.ping) {
      listener.ping(Buffer.from(bytes.subarray(start, end)));
    } else if (opcode === opcodes.close) {
      listener.closing(end - start >= 2 ? bytes.readUInt16BE(start) : 1005);
    } else if (opcode === opcodes.pong) {
      return;
    } else if (opcode > opcodes.binary || (opcode === opcodes.continuation) !== this.#fragments.length > 0) {
      throw new Error(`the server sent a frame with opcode ${opcode} out of place`);
    } else if (final && opcode !== opcodes.continuation) {
      listener.message(bytes, start, end);
    } else {
      this.#fragment(Buffer.from(bytes.subarray(start, end)), final, listener);
    }
  }

  #fragment(piece: Buffer, final: boolean, listener: FrameListener): void {
    this.#fragments.push(piece);
    this.#fragmentsBytes += piece.length;
    if (this.#fragmentsBytes > messageBytesMax) {
      throw new Error(`the server sent a message of more than ${messageBytesMax} bytes`);
    }
    if (final) {
      const whole = Buffer.concat(this.#fragments);
      this.#fragments.length = 0;
      this.#fragmentsBytes = 0;
      listener.message(whole, 0, whole.length);
    }
  }
}
