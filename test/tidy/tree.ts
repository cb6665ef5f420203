// The source tree as text.
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

export interface TextFile {
  /** From the root of the repository, with `/`. */
  readonly path: string;
  readonly text: string;
}

/** The root of the repository, seen from the built file. */
const root = fileURLToPath(new URL('../../../', import.meta.url));

const skippedFolders = new Set(['.git', 'node_modules', 'dist', 'data']);
const skippedFiles = /^(?:\.git|package-lock\.json)$|\.(?:png|ico|woff2?|db|log|gz)$/;

/** Every text file that belongs to the repository, in the order of their paths. */
export function readTree(): readonly TextFile[] {
  const files: TextFile[] = [];
  const visit = (folder: string): void => {
    for (const entry of readdirSync(root + folder, { withFileTypes: true })) {
      const path = folder + entry.name;
      if (entry.isDirectory() && !skippedFolders.has(entry.name)) visit(`${path}/`);
      if (entry.isFile() && !skippedFiles.test(entry.name)) {
        files.push({ path, text: readFileSync(root + path, 'utf8') });
      }
    }
  };
  visit('');
  return files.toSorted((a, b) => (a.path < b.path ? -1 : 1));
}
