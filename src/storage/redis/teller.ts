// Tells Redis what the ledger says, and keeps the node's lease: one step after the other, so that there is never more
// than one on its way. Knows no time and no connection: whoever runs the steps says when a beat or a refresh is due and
// when the connection was lost.
//
// A node without a lease holds nothing: its record is swept by another, and it begins anew when that is done.
import type { SetCommands } from './commands.ts';
import type { Ledger, Slice } from './ledger.ts';
import { audit, hold, release } from './sets.ts';

export interface TellerOptions {
  readonly node: string;
  readonly commands: SetCommands;
  readonly ledger: Ledger;
  /** How long the node is taken for alive after a beat. */
  readonly leaseMs: number;
  /** How long the sets live when no node refreshes them. */
  readonly lifeMs: number;
  /** After a node has come, or Redis has come back, it sweeps nobody before so many beats: others may be coming too. */
  readonly beatsBeforeSweep: number;
  /** Entries told in one step. */
  readonly sliceMax: number;
}

export class Teller {
  readonly #options: TellerOptions;
  #hasLease = false;
  #beats = 0;
  #isBeatDue = true;
  #isRefreshDue = false;
  #dead: string | null = null;
  #auditPlace: string | null = null;

  constructor(options: TellerOptions) {
    this.#options = options;
  }

  beatIsDue(): void {
    this.#isBeatDue = true;
  }

  /** All that the node holds is to be told again, so that it lives on. */
  refreshIsDue(): void {
    this.#isRefreshDue = true;
  }

  /** What Redis holds is not known any more. */
  lost(): void {
    this.#isBeatDue = true;
    this.#dead = null;
    this.#endLease();
  }

  /** One step. False when there is nothing to do; rejects when Redis fails: call `lost` then. */
  async step(): Promise<boolean> {
    if (this.#isBeatDue) await this.#beat();
    else if (!this.#hasLease) return false;
    else if (await this.tellSome()) return true;
    else if (this.#dead !== null) await this.#sweep(this.#dead);
    else if (this.#isRefreshDue) await this.#refresh();
    else return false;
    return true;
  }

  /** Tells a slice of what the ledger has to tell, if the node has its lease. False when nothing was told. */
  async tellSome(): Promise<boolean> {
    const { ledger, sliceMax } = this.#options;
    const slice = this.#hasLease ? ledger.next(sliceMax) : null;
    if (!slice) return false;
    try {
      await this.#tell(slice);
    } catch (error) {
      ledger.owe(slice);
      throw error;
    }
    return true;
  }

  /** Gives the lease back. What is still held then others sweep at once. */
  async leave(): Promise<void> {
    const { commands, node } = this.#options;
    if (this.#hasLease) await commands.leave(node);
    this.#hasLease = false;
  }

  async #tell({ holds, releases }: Slice): Promise<void> {
    const { commands, ledger, lifeMs, node } = this.#options;
    if (await hold(commands, { node, lifeMs }, holds)) {
      ledger.recall(await release(commands, { node, lifeMs }, releases));
      return;
    }
    this.lost();
    ledger.owe({ holds, releases });
  }

  async #beat(): Promise<void> {
    const { beatsBeforeSweep, commands, leaseMs, node } = this.#options;
    this.#isBeatDue = false;
    const mayFind = this.#hasLease && this.#beats >= beatsBeforeSweep && this.#dead === null;
    const { standing, dead } = await commands.beat(node, leaseMs, mayFind);
    this.#dead ??= dead;
    this.#beats += 1;
    if (standing === 'swept') this.#endLease();
    else if (standing === 'new' || !this.#hasLease) await this.#begin();
  }

  /** Redis may be empty, or be back as it was some time ago: what it has is compared, and everything told again. */
  async #begin(): Promise<void> {
    const { commands, ledger, node } = this.#options;
    ledger.open();
    for await (const entries of commands.recall(node)) ledger.recall(entries);
    this.#hasLease = true;
    this.#beats = 0;
  }

  #endLease(): void {
    this.#hasLease = false;
    this.#options.ledger.shut();
  }

  async #sweep(dead: string): Promise<void> {
    const { commands, leaseMs, lifeMs, sliceMax } = this.#options;
    const entries = await commands.sweep(dead, leaseMs, sliceMax);
    if (entries.length > 0) {
      // What could not be released stays in the record and comes again.
      await release(commands, { node: dead, lifeMs }, entries);
      return;
    }
    this.#dead = null;
    // There may be another one.
    this.#isBeatDue = true;
  }

  async #refresh(): Promise<void> {
    const { commands, ledger, lifeMs } = this.#options;
    this.#isRefreshDue = false;
    ledger.tellAll();
    this.#auditPlace = await audit(commands, lifeMs, this.#auditPlace);
  }
}
