// Open transactions of a session: frames held back until COMMIT. Bounded, since nothing else limits how long a
// client keeps one open.
import { Refusal } from '../errors.ts';
import type { Frame } from './frame.ts';

const transactionsMax = 16;
const framesMax = 1_000;
const bytesMax = 1024 * 1024;

const heldCommands: ReadonlySet<string> = new Set(['SEND', 'ACK', 'NACK']);

export interface HeldFrame {
  readonly frame: Frame;
  /** Whether its body is known to be UTF-8. */
  readonly isText: boolean;
}

function transactionName(frame: Frame): string {
  const name = frame.headers.get('transaction');
  if (!name) throw new Refusal('BAD_REQUEST', `${frame.command} needs a transaction header.`);
  return name;
}

/** Headers count too: an acknowledgement has nothing else. */
function sizeOf({ headers, body }: Frame): number {
  let size = body.length;
  for (const [name, value] of headers) size += name.length + value.length;
  return size;
}

/** What COMMIT has to do. */
export interface Transaction {
  readonly frames: HeldFrame[];
  /** Frames that were refused when they came: all of the transaction can't happen any more. */
  refused: number;
}

export class Transactions {
  readonly #open = new Map<string, Transaction>();
  #frames = 0;
  #bytes = 0;

  begin(frame: Frame): void {
    const name = transactionName(frame);
    if (this.#open.has(name)) throw new Refusal('CONFLICT', `Transaction ${name} is open already.`);
    if (this.#open.size >= transactionsMax) {
      throw new Refusal('TOO_LARGE', `At most ${transactionsMax} transactions may be open.`);
    }
    this.#open.set(name, { frames: [], refused: 0 });
  }

  hold(frame: Frame, isText: boolean): void {
    const held = this.#find(frame);
    const size = sizeOf(frame);
    if (this.#frames >= framesMax || this.#bytes + size > bytesMax) {
      throw new Refusal('TOO_LARGE', `Transactions hold at most ${framesMax} frames and ${bytesMax} bytes.`);
    }
    this.#frames += 1;
    this.#bytes += size;
    // The body is a view of what was received: it must outlive that.
    const copy = { command: frame.command, headers: frame.headers, body: new Uint8Array(frame.body) };
    held.frames.push({ frame: copy, isText });
  }

  /** A frame of the transaction was refused instead of being held. */
  spoil(frame: Frame): void {
    // A refused BEGIN names a transaction too, but was never a part of it.
    if (!heldCommands.has(frame.command)) return;
    const open = this.#open.get(frame.headers.get('transaction') ?? '');
    if (open) open.refused += 1;
  }

  /** @returns the transaction, which is closed. */
  take(frame: Frame): Transaction {
    const held = this.#find(frame);
    this.#open.delete(transactionName(frame));
    this.#frames -= held.frames.length;
    for (const { frame: one } of held.frames) this.#bytes -= sizeOf(one);
    return held;
  }

  #find(frame: Frame): Transaction {
    const name = transactionName(frame);
    const held = this.#open.get(name);
    if (!held) throw new Refusal('NOT_FOUND', `There is no open transaction ${name}.`);
    return held;
  }
}
