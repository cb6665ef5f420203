// What one client says in arrays of MessagePack.
import type { Conversation, Introduction } from '../dialect.ts';
import { ProtocolError, type Frame, type FrameLimits } from '../frame.ts';
import { protocolVersion } from './commands.ts';
import { emptyArray, msgpackDialect } from './dialect.ts';
import { readFrame } from './frame-reader.ts';

export class MsgpackConversation implements Conversation {
  readonly dialect = msgpackDialect;
  readonly #limits: FrameLimits;
  #isOver = false;

  /** `limits` is kept, not copied: thousands of conversations share one. */
  constructor(limits: FrameLimits) {
    this.#limits = limits;
  }

  push(chunk: Uint8Array, isText: boolean, onFrame: (frame: Frame, isText: boolean) => void): void {
    if (this.#isOver) return;
    if (!isText && chunk.length === 1 && chunk[0] === emptyArray) return;
    try {
      if (isText) throw new ProtocolError('BAD_REQUEST', 'a frame is a binary message');
      readFrame(chunk, this.#limits, onFrame);
    } catch (error) {
      this.#isOver = true;
      throw error;
    }
  }

  introduce({ headers }: Frame): Introduction {
    const version = Number(headers.get('version') ?? 0);
    if (version < protocolVersion) {
      throw new ProtocolError('BAD_REQUEST', `The supported protocol version is ${protocolVersion}.`);
    }
    return {
      canSendMs: Number(headers.get('can-send') ?? 0),
      wantsMs: Number(headers.get('wants') ?? 0),
      token: headers.get('token') ?? null,
    };
  }
}
