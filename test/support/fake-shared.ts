// What nodes share, kept in memory: a test sees what was told, and says what is there.
import type { Shared, SharedChange, SharedPosition } from '../../src/storage/shared.ts';

export class FakeShared implements Shared {
  readonly told: SharedChange[] = [];
  readonly snapshots = new Map<string, Uint8Array>();
  readonly positions = new Map<string, SharedPosition>();
  /** Whether it is away: it forgets what it is told and answers nothing. */
  isAway = false;

  tell(change: SharedChange): void {
    if (this.isAway) return;
    this.told.push(change);
    if (change[0] === 'snapshot') this.snapshots.set(change[1], change[2]);
    else if (change[0] === 'position') {
      const [, userId, name, destination, epoch, seq] = change;
      this.positions.set(JSON.stringify([userId, name, destination]), { epoch, seq });
    }
  }

  /** What was told since the last call, snapshots left out. */
  take(): SharedChange[] {
    return this.told.splice(0).filter(([kind]) => kind !== 'snapshot');
  }

  snapshot(actor: string): Promise<Uint8Array | null> {
    return Promise.resolve(this.isAway ? null : (this.snapshots.get(actor) ?? null));
  }

  position(...of: [userId: string, name: string, destination: string]): Promise<SharedPosition | null> {
    return Promise.resolve(this.isAway ? null : (this.positions.get(JSON.stringify(of)) ?? null));
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}
