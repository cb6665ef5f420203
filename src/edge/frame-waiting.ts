// Frames whose effect is on its way: each is answered once, by its RECEIPT or by a refusal.
import { Refusal } from '../errors.ts';
import { ToShard } from '../link/messages.ts';
import type { Edge } from './edge.ts';
import type { Session } from './session.ts';
import type { CommandFields, Waiting } from './shard-port.ts';
import type { Transaction } from './transactions.ts';

/** The frames of one COMMIT: its RECEIPT comes after the last of them, unless one was refused. */
export class Commit {
  readonly #session: Session;
  readonly #receipt: string | undefined;
  #open: number;
  #refused: number;

  constructor(session: Session, { frames, refused }: Transaction, receipt: string | undefined) {
    this.#session = session;
    this.#receipt = receipt;
    this.#open = frames.length;
    this.#refused = refused;
    if (this.#open === 0) this.#answer();
  }

  settle(ok: boolean): void {
    this.#open -= 1;
    if (!ok) this.#refused += 1;
    if (this.#open === 0) this.#answer();
  }

  #answer(): void {
    if (this.#refused === 0) return this.#session.receipt(this.#receipt);
    const text = `${this.#refused} of the transaction's frames were refused.`;
    this.#session.refuse(new Refusal('CONFLICT', text), '', this.#receipt);
  }
}

/** A frame whose command is on its way. */
export class FrameWaiting implements Waiting {
  readonly #session: Session;
  readonly #destination: string;
  readonly #receipt: string | undefined;
  readonly #commit: Commit | null;

  constructor(session: Session, destination: string, receipt: string | undefined, commit: Commit | null) {
    this.#session = session;
    this.#destination = destination;
    this.#receipt = receipt;
    this.#commit = commit;
    session.inFlight += 1;
  }

  answered(): void {
    this.#session.receipt(this.#receipt);
    this.#commit?.settle(true);
    this.#session.settled();
  }

  refused(refusal: Refusal): void {
    this.#session.refuse(refusal, this.#destination, this.#receipt);
    this.#commit?.settle(false);
    this.#session.settled();
  }
}

/** A SEND, whose command is asked again for as long as there is more, as fast as the client reads. */
export class SendWaiting implements Waiting {
  readonly #edge: Edge;
  readonly #session: Session;
  readonly #fields: CommandFields;
  readonly #frame: FrameWaiting;

  constructor(edge: Edge, session: Session, fields: CommandFields, frame: FrameWaiting) {
    this.#edge = edge;
    this.#session = session;
    this.#fields = fields;
    this.#frame = frame;
  }

  answered(_body: Uint8Array | null, cursor: string | null): void {
    if (cursor === null) return this.#frame.answered();
    const { unreadBytesMax } = this.#edge.config;
    this.#session.backlog.whenRead(unreadBytesMax / 2, () => this.#askOn(cursor));
  }

  refused(refusal: Refusal): void {
    this.#frame.refused(refusal);
  }

  #askOn(cursor: string): void {
    if (this.#session.phase === 'closed') return;
    if (this.#edge.draining) return this.refused(new Refusal('UNAVAILABLE', 'The server drains.'));
    const [actor, command, , params, , ...rest] = this.#fields;
    const more = { ...params, cursor };
    // Its key is that of the whole, and was applied with the first part. A fresh token counts from now on.
    const fields = [actor, command, this.#session.asker, more, null, ...rest] as const;
    this.#edge.portOf(actor).request({ op: ToShard.command, fields }, this);
  }
}
