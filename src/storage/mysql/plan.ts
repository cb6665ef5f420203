// The order in which the writes of a commit are made: writes of one kind to one table together, so that one statement
// makes many of them, as far as nobody can tell the difference.
import { effectsOf, type Effects } from './effects.ts';
import type { Write } from '../storage.ts';

/** Writes with the same `op` and table, in the order in which they were asked for. */
export type Batch = readonly [Write, ...Write[]];

/**
 * Made in the order of the batches, the writes either do what they do in the order given, or one of them is refused.
 * They may be refused together although none is alone: by two rows of which the one that leaves a place for the other
 * now comes second. So when one is refused, nothing is known but that their own order must be tried.
 */
export function planWrites(writes: Iterable<Write>): Batch[] {
  const plan = new Plan();
  for (const write of writes) plan.add(write);
  return plan.batches;
}

/** The last batch in which something was done, by what it was done to. */
class Trace<Key> {
  readonly #last = new Map<Key, number>();

  /** -1 when there is none. */
  lastOf(keys: Iterable<Key>): number {
    let last = -1;
    for (const key of keys) last = Math.max(last, this.#last.get(key) ?? -1);
    return last;
  }

  note(keys: Iterable<Key>, batch: number): void {
    for (const key of keys) this.#last.set(key, Math.max(batch, this.#last.get(key) ?? -1));
  }
}

class Plan {
  readonly batches: [Write, ...Write[]][] = [];
  /** The last batch of each kind, by `op` and table. */
  readonly #ofKind = new Map<string, number>();
  readonly #set = new Trace<string>();
  readonly #needed = new Trace<string>();
  readonly #used = new Trace<string>();
  readonly #taken = new Trace<string>();
  readonly #swept = new Trace<string>();

  add(write: Write): void {
    const effects = effectsOf(write);
    const batch = this.#place(write, this.#earliest(effects));
    this.#set.note(effects.sets, batch);
    this.#needed.note(effects.needs, batch);
    this.#used.note(effects.uses, batch);
    if (effects.takes) this.#taken.note([effects.takes], batch);
    this.#swept.note(effects.sweeps, batch);
  }

  /**
   * The batch before which the write must not be made. What gives up a place must not come before what took one: that
   * may have been refused for it. What takes a place may come before what gives one up: then it is refused itself.
   */
  #earliest({ sets, needs, uses, frees, sweeps }: Effects): number {
    return Math.max(
      this.#set.lastOf(sets),
      this.#set.lastOf(needs),
      this.#needed.lastOf(sets),
      this.#taken.lastOf(frees),
      this.#swept.lastOf(uses),
      this.#used.lastOf(sweeps),
    );
  }

  #place(write: Write, earliest: number): number {
    const kind = 'table' in write ? `${write.op} ${write.table}` : write.op;
    const last = this.#ofKind.get(kind) ?? -1;
    if (last >= 0 && last >= earliest) {
      this.batches[last]?.push(write);
      return last;
    }
    const made = this.batches.push([write]) - 1;
    this.#ofKind.set(kind, made);
    return made;
  }
}
