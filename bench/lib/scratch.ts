// Temporary folders that are gone when the run is, whatever way that ends.
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';

const folders = new Set<string>();

process.on('exit', () => {
  for (const folder of folders) {
    rmSync(folder, { recursive: true, force: true });
  }
});

/** A new empty folder in `parent`. */
export function makeScratch(parent: string): string {
  const folder = mkdtempSync(join(parent, 'stagewire-bench-'));
  folders.add(folder);
  return folder;
}

/** Deletes a folder made by `makeScratch`. */
export function deleteScratch(folder: string): void {
  rmSync(folder, { recursive: true, force: true });
  folders.delete(folder);
}
