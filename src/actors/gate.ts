// The output gate: what a turn sends waits here until the turn's writes, and all earlier ones of its actor, are
// committed. Writes of all actors gather while one commit is on its way and go together in the next.
import { StorageError, type Storage, type Transaction, type Write } from '../storage/storage.ts';

/** An actor as the gate sees it. */
export interface Writer {
  /** Number of the last group that holds writes of this actor; 0 for none. Kept by the gate. */
  ticket: number;
}

export interface GateLimits {
  /** Writes waiting for the next commit; above it `full` is true and new commands must be refused. */
  readonly writesMax: number;
  /** Bytes of bodies in those writes, for the same reason. */
  readonly bytesMax: number;
}

/** One actor's part of a group. */
interface Part {
  readonly writes: Write[];
  bytes: number;
}

interface Group<Owner, Output> {
  readonly number: number;
  readonly parts: Map<Owner, Part>;
  readonly held: { owner: Owner; output: Output }[];
  readonly waiting: { owner: Owner; task: () => void }[];
  writes: number;
  bytes: number;
}

export interface GateEvents<Owner, Output> {
  /** What an actor sent may go: everything it rests on is durable. */
  release(output: Output): void;
  /** What an actor sent rests on writes that were not applied: whoever waits for it must be told. */
  lost(output: Output, error: StorageError): void;
  /** All that one commit let go is released. */
  settled(): void;
  /** The actor's state is ahead of the database: it must be loaded again. Called before any `lost`. */
  failed(owner: Owner, error: StorageError): void;
}

function newGroup<Owner, Output>(number: number): Group<Owner, Output> {
  return { number, parts: new Map(), held: [], waiting: [], writes: 0, bytes: 0 };
}

function brokenOff(cause?: unknown): StorageError {
  return new StorageError('UNAVAILABLE', 'The commit broke off.', { cause });
}

export class Gate<Owner extends Writer, Output> {
  readonly #storage: Pick<Storage, 'commit'>;
  readonly #limits: GateLimits;
  readonly #events: GateEvents<Owner, Output>;
  #open: Group<Owner, Output> = newGroup(1);
  // At most one commit is on its way. So a failed actor's later writes can still be taken out of the open group;
  // with two on their way the second could apply without the first.
  #closing: Group<Owner, Output> | null = null;
  #committed = 0;
  #scheduled = false;

  constructor(storage: Pick<Storage, 'commit'>, limits: GateLimits, events: GateEvents<Owner, Output>) {
    this.#storage = storage;
    this.#limits = limits;
    this.#events = events;
  }

  get full(): boolean {
    return this.#open.writes > this.#limits.writesMax || this.#open.bytes > this.#limits.bytesMax;
  }

  /** Whether nothing waits for a commit. */
  get idle(): boolean {
    return this.#closing === null && this.#open.parts.size === 0;
  }

  /** Whether all that the actor wrote is committed. */
  settled(owner: Owner): boolean {
    return owner.ticket <= this.#committed;
  }

  /** One turn's writes, to be committed with the actor's others of this group or not at all. */
  write(owner: Owner, writes: readonly Write[], bytes: number): void {
    const group = this.#open;
    let part = group.parts.get(owner);
    if (!part) group.parts.set(owner, (part = { writes: [], bytes: 0 }));
    part.writes.push(...writes);
    part.bytes += bytes;
    group.writes += writes.length;
    group.bytes += bytes;
    owner.ticket = group.number;
    if (!this.#closing && !this.#scheduled) {
      this.#scheduled = true;
      // After every message that this turn of the event loop brings: they share the commit.
      setImmediate(() => {
        this.#scheduled = false;
        this.#commit();
      });
    }
  }

  /** Lets an output go once all that its actor has written up to now is committed. */
  emit(owner: Owner, output: Output): void {
    if (this.settled(owner)) this.#events.release(output);
    else this.#group(owner.ticket).held.push({ owner, output });
  }

  /** Calls `task` once all that the actor has written up to now is committed or lost. */
  whenSettled(owner: Owner, task: () => void): void {
    if (this.settled(owner)) task();
    else this.#group(owner.ticket).waiting.push({ owner, task });
  }

  #group(ticket: number): Group<Owner, Output> {
    return this.#closing?.number === ticket ? this.#closing : this.#open;
  }

  #commit(): void {
    if (this.#closing || this.#open.parts.size === 0) return;
    const group = this.#open;
    this.#closing = group;
    this.#open = newGroup(group.number + 1);
    const transactions: Transaction[] = [...group.parts.values()].map(({ writes }) => writes);
    this.#storage.commit(transactions).then(
      (outcomes) => {
        const failures = new Map<Owner, StorageError>();
        let index = 0;
        for (const owner of group.parts.keys()) {
          // A missing outcome says nothing of being durable.
          const outcome = outcomes[index] === undefined ? brokenOff() : outcomes[index];
          if (outcome) failures.set(owner, outcome);
          index += 1;
        }
        this.#settle(group, failures);
      },
      (cause: unknown) => {
        const error = brokenOff(cause);
        this.#settle(group, new Map([...group.parts.keys()].map((owner) => [owner, error])));
      },
    );
  }

  #settle(group: Group<Owner, Output>, failures: ReadonlyMap<Owner, StorageError>): void {
    this.#closing = null;
    this.#committed = group.number;
    const withdrawn = this.#withdraw(failures);
    for (const { owner, output } of [...group.held, ...withdrawn.held]) {
      const error = failures.get(owner);
      if (error) this.#events.lost(output, error);
      else this.#events.release(output);
    }
    this.#events.settled();
    for (const { task } of [...group.waiting, ...withdrawn.waiting]) task();
    this.#commit();
  }

  /** Takes what failed actors have written, sent and waited for since out of the open group. */
  #withdraw(failures: ReadonlyMap<Owner, StorageError>): Pick<Group<Owner, Output>, 'held' | 'waiting'> {
    if (failures.size === 0) return { held: [], waiting: [] };
    const group = this.#open;
    for (const [owner, error] of failures) {
      const part = group.parts.get(owner);
      group.parts.delete(owner);
      group.writes -= part?.writes.length ?? 0;
      group.bytes -= part?.bytes ?? 0;
      owner.ticket = this.#committed;
      this.#events.failed(owner, error);
    }
    const ofFailed = <Entry extends { owner: Owner }>(entries: Entry[]): Entry[] => {
      const all = entries.splice(0);
      entries.push(...all.filter(({ owner }) => !failures.has(owner)));
      return all.filter(({ owner }) => failures.has(owner));
    };
    return { held: ofFailed(group.held), waiting: ofFailed(group.waiting) };
  }
}
