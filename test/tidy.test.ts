// The rules of the house, held against the whole tree. The tables are in tidy/tables.ts; CONTRIBUTING.md
// tells them.
import { expect, test } from 'vitest';
import { checkDuplicates, checkHeadings, checkLinks, checkRules, checkScripts } from './tidy/documents.ts';
import {
  checkBans,
  checkImports,
  checkNames,
  checkPackages,
  checkSizes,
  checkTraces,
  longFiles,
} from './tidy/rules.ts';
import { readTree } from './tidy/tree.ts';

const files = readTree();

function expectNone(offences: readonly string[]): void {
  if (offences.length > 0) expect.fail(`${offences.length} to put right:\n  ${offences.join('\n  ')}`);
}

test('[TIDY1] folders import only what their layer may', () => {
  expectNone(checkImports(files));
});

test('[TIDY2] sockets and databases are imported in their one place', () => {
  expectNone(checkPackages(files));
});

test('[TIDY3] files, functions and lines are short', () => {
  const long = longFiles(files);
  if (long.length > 0) process.stdout.write(`Files that grow long:\n  ${long.join('\n  ')}\n`);
  expectNone(checkSizes(files));
});

test('[TIDY4] nothing banned is written', () => {
  expectNone(checkBans(files));
});

test('[TIDY5] files are named after what they own, in kebab-case', () => {
  expectNone(checkNames(files));
});

test('[TIDY6] no file names the machine it was written on', () => {
  expectNone(checkTraces(files));
});

test('[TIDY7] every rule of SPEC.md has a test that names it, and every id in a title is a rule', () => {
  expectNone(checkRules(files, 'SPEC.md'));
});

test('[TIDY8] every rule of CONTRIBUTING.md that has an id is one of these checks', () => {
  expectNone([...checkRules(files, 'CONTRIBUTING.md'), ...checkDuplicates(files)]);
});

test('[TIDY9] every document has one first heading, and its links and commands are there', () => {
  expectNone([...checkHeadings(files), ...checkLinks(files), ...checkScripts(files)]);
});
