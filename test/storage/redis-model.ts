// The sets that nodes share, without Redis: what src/storage/redis/scripts does, in plain maps, one command at a time.
import type { Beat, SetCommands } from '../../src/storage/redis/commands.ts';
import type { Entry } from '../../src/storage/redis/ledger.ts';

type Note = 'held' | 'released';

const text = (entry: Entry): string => JSON.stringify(entry);
const entry = (written: string): Entry => JSON.parse(written) as Entry;

export class RedisModel {
  nowMs = 0;
  readonly sets = new Map<string, Set<string>>();
  readonly leases = new Map<string, number>();
  readonly dead = new Map<string, number>();
  readonly records = new Map<string, Map<string, Note>>();

  clear(): void {
    for (const all of [this.sets, this.leases, this.dead, this.records]) all.clear();
  }

  beat(node: string, leaseMs: number, mayFind: boolean): Beat {
    if ((this.dead.get(node) ?? 0) > this.nowMs) return { standing: 'swept', dead: null };
    this.dead.delete(node);
    const standing = this.leases.has(node) ? 'held' : 'new';
    this.leases.set(node, this.nowMs + leaseMs);
    if (!mayFind) return { standing, dead: null };
    for (const [late, atMs] of this.leases) {
      if (atMs > this.nowMs) continue;
      this.leases.delete(late);
      this.dead.set(late, 0);
    }
    const [found = null] = [...this.dead].filter(([, atMs]) => atMs <= this.nowMs).map(([name]) => name);
    if (found !== null) this.dead.set(found, this.nowMs + leaseMs);
    return { standing, dead: found };
  }

  record(node: string, entries: readonly Entry[]): boolean {
    if (!this.leases.has(node)) return false;
    for (const one of entries) this.#recordOf(node).set(text(one), 'held');
    return true;
  }

  yield(node: string, entries: readonly Entry[], arePutBack: boolean): readonly Entry[] {
    return entries.filter((one) => {
      const isOpen = !arePutBack && this.#recordOf(node).get(text(one)) === 'released';
      const isYielded = !isOpen && this.#isHeldByOthers(node, one);
      if (isYielded) this.#recordOf(node).delete(text(one));
      else this.#recordOf(node).set(text(one), 'released');
      return !isYielded;
    });
  }

  strike(node: string, entries: readonly Entry[]): readonly Entry[] {
    return entries.filter((one) => {
      const isHeld = this.#isHeldByOthers(node, one);
      if (!isHeld) this.#recordOf(node).delete(text(one));
      return isHeld;
    });
  }

  recall(node: string): readonly Entry[] {
    return [...this.#recordOf(node).keys()].map(entry);
  }

  hold(key: string, members: readonly string[]): void {
    this.sets.set(key, new Set([...(this.sets.get(key) ?? []), ...members]));
  }

  release(key: string, members: readonly string[]): number {
    const set = this.sets.get(key);
    for (const member of members) set?.delete(member);
    if (set?.size === 0) this.sets.delete(key);
    return this.count(key);
  }

  count(key: string): number {
    return this.sets.get(key)?.size ?? 0;
  }

  scan(key: string): readonly string[] {
    return [...(this.sets.get(key) ?? [])];
  }

  sweep(dead: string, leaseMs: number, entriesMax: number): readonly Entry[] {
    if (!this.dead.has(dead)) return [];
    const entries = this.recall(dead).slice(0, entriesMax);
    if (entries.length === 0) this.dead.delete(dead);
    else this.dead.set(dead, this.nowMs + leaseMs);
    return entries;
  }

  leave(node: string): void {
    this.leases.delete(node);
    if (this.#recordOf(node).size > 0) this.dead.set(node, 0);
  }

  #recordOf(node: string): Map<string, Note> {
    const record = this.records.get(node) ?? new Map<string, Note>();
    this.records.set(node, record);
    return record;
  }

  #isHeldByOthers(node: string, one: Entry): boolean {
    const others = [...this.leases.keys(), ...this.dead.keys()].filter((other) => other !== node);
    return others.some((other) => this.records.get(other)?.get(text(one)) === 'held');
  }
}

interface Pending {
  readonly run: () => void;
  readonly fail: () => void;
}

/** One node's way to the model. Each command waits until the test lets it happen, in any order. */
export class ModelWay implements SetCommands {
  readonly #model: RedisModel;
  #pending: Pending[] = [];

  constructor(model: RedisModel) {
    this.#model = model;
  }

  get isBusy(): boolean {
    return this.#pending.length > 0;
  }

  /** Lets one of the pending commands happen. */
  async run(pick: number): Promise<void> {
    const [command] = this.#pending.splice(pick % Math.max(1, this.#pending.length), 1);
    command?.run();
    await settled();
  }

  /** The connection is lost: of the commands on their way some happen and others don't, and all fail. */
  async lose(isDone: (index: number) => boolean): Promise<void> {
    const pending = this.#pending;
    this.#pending = [];
    for (const [index, command] of pending.entries()) {
      if (isDone(index)) command.run();
      command.fail();
    }
    await settled();
  }

  beat = (...of: [string, number, boolean]): Promise<Beat> => this.#do(() => this.#model.beat(...of));
  record = (...of: [string, readonly Entry[]]): Promise<boolean> => this.#do(() => this.#model.record(...of));
  yield = (...of: [string, readonly Entry[], boolean]): Promise<readonly Entry[]> =>
    this.#do(() => this.#model.yield(...of));
  strike = (...of: [string, readonly Entry[]]): Promise<readonly Entry[]> =>
    this.#do(() => this.#model.strike(...of));
  hold = (key: string, _lifeMs: number, members: readonly string[]): Promise<void> =>
    this.#do(() => this.#model.hold(key, members));
  release = (...of: [string, readonly string[]]): Promise<number> =>
    this.#do(() => this.#model.release(...of));
  count = (key: string): Promise<number> => this.#do(() => this.#model.count(key));
  scan = (key: string): Promise<readonly [readonly string[], null]> =>
    this.#do(() => [this.#model.scan(key), null] as const);
  sweep = (...of: [string, number, number]): Promise<readonly Entry[]> =>
    this.#do(() => this.#model.sweep(...of));
  leave = (node: string): Promise<void> => this.#do(() => this.#model.leave(node));

  async *recall(node: string): AsyncIterable<readonly Entry[]> {
    yield await this.#do(() => this.#model.recall(node));
  }

  #do<Reply>(command: () => Reply): Promise<Reply> {
    return new Promise((resolve, reject) => {
      this.#pending.push({
        run: () => resolve(command()),
        fail: () => reject(new Error('the connection was lost')),
      });
    });
  }
}

/** All that follows from what has happened has happened. */
export function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
