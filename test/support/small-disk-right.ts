// Whether this process may mount a small disk.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

function mayMount(): boolean {
  if (process.getuid?.() !== 0) return false;
  const folder = mkdtempSync(join(tmpdir(), 'stagewire-disk-'));
  const { status } = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', folder]);
  if (status === 0) spawnSync('umount', [folder]);
  rmSync(folder, { recursive: true, force: true });
  return status === 0;
}

/** Where all must run, one that can't be had is a failure. */
export const runsSmallDisks = process.env['CI'] === 'true' || mayMount();

export const diskLeftOut =
  'Left out: the tests with a full disk. They mount a small tmpfs, which needs root and CAP_SYS_ADMIN';
