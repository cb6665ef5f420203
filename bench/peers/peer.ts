// What the peer servers share: their arguments, their ready line, and how they end.
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { argv, cwd, exit, stdin, stdout } from 'node:process';
import { verifyToken } from '../lib/token.ts';
import { wallSeconds } from '../lib/clock.ts';

const [secret = '', packagesFolder = cwd()] = argv.slice(2);
const requirePackage = createRequire(join(packagesFolder, 'package.json'));

/** Whether `token` was signed with this run's secret. */
export function accepts(token: string): boolean {
  return verifyToken(token, secret, wallSeconds()) !== undefined;
}

/** A package of bench/package.json, which lies outside the built files' own search path. */
export function load(name: string): unknown {
  return requirePackage(name);
}

/** Tells the parent the port; ends the process when the parent is gone. */
export function ready(port: number): void {
  stdin.on('end', () => exit(0));
  stdin.resume();
  stdout.write(`listening on http://127.0.0.1:${port}\n`);
}
