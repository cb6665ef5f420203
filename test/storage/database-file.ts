// SQLite files for tests, removed after each.
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach } from 'vitest';
import { migrateSqlite } from '../../src/storage/sqlite/migrate.ts';

const folders: string[] = [];
let template: string | undefined;

function removeAll(these: string[]): void {
  for (const folder of these.splice(0)) rmSync(folder, { recursive: true, force: true });
}

/** Call once at the top of a test file. */
export function removeFilesAfterwards(): void {
  afterEach(() => removeAll(folders));
  afterAll(() => {
    if (template) rmSync(template, { recursive: true, force: true });
    template = undefined;
  });
}

/** Path of a file that isn't there yet, in a folder of its own. */
export function newFile(): string {
  const folder = mkdtempSync(join(tmpdir(), 'stagewire-storage-'));
  folders.push(folder);
  return join(folder, 'test.db');
}

/** A migrated, empty database: a copy of one that is migrated once per test file. */
export function newDatabase(): string {
  if (template === undefined) {
    template = mkdtempSync(join(tmpdir(), 'stagewire-template-'));
    migrateSqlite(join(template, 'test.db'));
  }
  const file = newFile();
  copyFileSync(join(template, 'test.db'), file);
  return file;
}
