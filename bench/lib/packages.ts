// Where this package and the bench's own dependencies lie, and how the latter get there.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The checkout's folder. */
export const rootFolder = fileURLToPath(new URL('../../../', import.meta.url));
/** The folder of bench/package.json; the built files lie elsewhere. */
export const benchFolder = join(rootFolder, 'bench');

const installMsMax = 180_000;

/** The folder an installed package lies in, from the bench's point of view. */
function packageFolder(name: string): string | undefined {
  return [benchFolder, rootFolder]
    .map((folder) => join(folder, 'node_modules', name))
    .find((folder) => existsSync(join(folder, 'package.json')));
}

/** Whether a peer can load the package. */
export function isInstalled(name: string): boolean {
  return packageFolder(name) !== undefined;
}

/** Name and version of an installed package, such as `ws 8.1.0`. An alias shows what it stands for. */
export function packageVersion(name: string): string {
  const folder = packageFolder(name);
  if (folder === undefined) {
    return 'not installed';
  }
  return versionIn(folder);
}

/** Name and version of the package in `folder`. */
export function versionIn(folder: string): string {
  const description = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as {
    name: string;
    version: string;
  };
  return `${description.name} ${description.version}`;
}

/** Installs bench/package.json's dependencies; false when that fails. npm's own words go to stderr. */
export function installPackages(): boolean {
  const args = [
    'install',
    '--prefix',
    benchFolder,
    '--omit=dev',
    '--no-audit',
    '--no-fund',
    '--no-package-lock',
  ];
  const result = spawnSync('npm', args, { stdio: ['ignore', 2, 2], timeout: installMsMax });
  return result.status === 0;
}
