// What this node has to say of the sets that nodes share, and what of it is still to be told. The two are all there is
// to remember: whether an entry is to be held or released is looked up when it is told, so whatever was said meanwhile
// only the newest is told, and telling it again does no harm. Pure: no time, no Redis.

/** A member of a set: a session of a user, a user who tracks an order. */
export type Entry = readonly [key: string, member: string];

/** Some of what is to be told. */
export interface Slice {
  readonly holds: readonly Entry[];
  readonly releases: readonly Entry[];
}

/** Members by key. It holds no empty sets. */
class Entries {
  readonly #members = new Map<string, Set<string>>();

  has(key: string, member: string): boolean {
    return this.#members.get(key)?.has(member) ?? false;
  }

  add(key: string, member: string): void {
    const members = this.#members.get(key);
    if (members) members.add(member);
    else this.#members.set(key, new Set([member]));
  }

  delete(key: string, member: string): void {
    const members = this.#members.get(key);
    members?.delete(member);
    if (members?.size === 0) this.#members.delete(key);
  }

  *[Symbol.iterator](): Generator<Entry> {
    for (const [key, members] of this.#members) for (const member of members) yield [key, member];
  }
}

/**
 * Bounded by what there is: an entry is remembered while some part says it, and while Redis takes what it is told also until
 * it has been told that none does any more. While the ledger is shut nothing is noted of what comes and goes: what Redis
 * may have of it is what was said when it was shut.
 */
export class Ledger {
  /** What each part, which is a life of a shard, says to be there. */
  readonly #said = new Map<number, Entries>();
  readonly #due = new Entries();
  #isOpen = false;

  /** A part says that an entry is there, or not any more. */
  say(part: number, [key, member]: Entry, isThere: boolean): void {
    let said = this.#said.get(part);
    if (!said) this.#said.set(part, (said = new Entries()));
    if (isThere) said.add(key, member);
    else said.delete(key, member);
    if (this.#isOpen) this.#due.add(key, member);
  }

  /** Takes back all that a part has said; what another part says too stays. */
  end(part: number): void {
    const said = this.#said.get(part);
    this.#said.delete(part);
    if (said && this.#isOpen) this.#owe(said);
  }

  endAll(): void {
    for (const part of this.#said.keys()) this.end(part);
  }

  /** Redis takes what it is told, from everything on. */
  open(): void {
    this.#isOpen = true;
    this.tellAll();
  }

  /** It does not any more; all that it may have is looked at again when it does. */
  shut(): void {
    if (this.#isOpen) this.tellAll();
    this.#isOpen = false;
  }

  /** Entries that are in the sets as far as Redis knows: those that nobody says are to be released. */
  recall(entries: Iterable<Entry>): void {
    this.#owe(entries);
  }

  /** Everything is to be told again. */
  tellAll(): void {
    for (const said of this.#said.values()) this.#owe(said);
  }

  /** Takes at most `entriesMax` entries that are to be told; null when all is. What can't be told is to be owed again. */
  next(entriesMax: number): Slice | null {
    const holds: Entry[] = [];
    const releases: Entry[] = [];
    for (const entry of this.#due) {
      (this.#isSaid(entry) ? holds : releases).push(entry);
      if (holds.length + releases.length === entriesMax) break;
    }
    for (const [key, member] of [...holds, ...releases]) this.#due.delete(key, member);
    return holds.length + releases.length > 0 ? { holds, releases } : null;
  }

  /** A slice that could not be told is to be told later, as it is then. */
  owe({ holds, releases }: Slice): void {
    this.#owe(holds);
    this.#owe(releases);
  }

  #owe(entries: Iterable<Entry>): void {
    for (const [key, member] of entries) this.#due.add(key, member);
  }

  #isSaid([key, member]: Entry): boolean {
    for (const said of this.#said.values()) if (said.has(key, member)) return true;
    return false;
  }
}
