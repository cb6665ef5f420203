// A disk with little room, for tests that fill it: a tmpfs of its own. Import it in a test file and it goes away after
// that file's last test.
import { spawnSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { diskLeftOut, runsSmallDisks } from './small-disk-right.ts';

const folders: string[] = [];

afterAll(() => {
  for (const folder of folders) {
    spawnSync('umount', ['--lazy', folder]);
    rmSync(folder, { recursive: true, force: true });
  }
});

export class SmallDisk {
  readonly folder: string;
  readonly #ballast: string;

  /** @param bytes its size. */
  constructor(bytes: number) {
    if (!runsSmallDisks) throw new Error(diskLeftOut);
    this.folder = mkdtempSync(join(tmpdir(), 'stagewire-disk-'));
    const { status, stderr } = spawnSync('mount', [
      '-t',
      'tmpfs',
      '-o',
      `size=${bytes}`,
      'tmpfs',
      this.folder,
    ]);
    if (status !== 0) throw new Error(`no disk: ${String(stderr)}`);
    folders.push(this.folder);
    this.#ballast = join(this.folder, 'ballast');
  }

  /** Leaves no room. What others make room for is taken when this is called again. */
  fill(): void {
    const file = openSync(this.#ballast, 'a');
    const chunk = Buffer.alloc(64 * 1024, 1);
    for (let bytes = chunk.length; bytes > 0;) {
      try {
        writeSync(file, chunk, 0, bytes);
      } catch {
        // No room for so much: for less of it there may be.
        bytes = Math.floor(bytes / 2);
      }
    }
    closeSync(file);
  }

  /** Makes room again. */
  empty(): void {
    rmSync(this.#ballast, { force: true });
  }
}
