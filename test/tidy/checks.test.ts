// The checks themselves, on small trees: an offence is found, at its line, and what is right is left alone.
import { expect, test } from 'vitest';
import { checkDuplicates, checkHeadings, checkLinks, checkRules, checkScripts } from './documents.ts';
import {
  checkBans,
  checkImports,
  checkNames,
  checkPackages,
  checkSizes,
  checkTraces,
  longFiles,
} from './rules.ts';
import type { TextFile } from './tree.ts';

type Check = (files: readonly TextFile[]) => readonly string[];

/** Where a check finds something in one file, without what it says. */
function found(check: Check, path: string, text: string): readonly string[] {
  return check([{ path, text }]).map((offence) => offence.split(' — ').slice(0, 2).join(' '));
}

test('[TIDY1] an import that its layer may not is found', () => {
  const from = (path: string, target: string): readonly string[] =>
    found(checkImports, path, `import { a } from '${target}';`);
  for (const [path, target, resolved] of [
    ['src/errors.ts', './lib/clock.ts', 'src/lib/clock.ts'],
    ['src/lib/queue.ts', '../config.ts', 'src/config.ts'],
    ['src/link/link.ts', '../edge/edge.ts', 'src/edge/edge.ts'],
    ['src/storage/sqlite/sqlite.ts', '../../actors/actor.ts', 'src/actors/actor.ts'],
    ['src/actors/shard.ts', '../link/link.ts', 'src/link/link.ts'],
    ['src/actors/shard.ts', '../storage/sqlite/sqlite.ts', 'src/storage/sqlite/sqlite.ts'],
    ['src/actors/shard.ts', './kinds/room.ts', 'src/actors/kinds/room.ts'],
    ['src/actors/kinds/room.ts', './topic.ts', 'src/actors/kinds/topic.ts'],
    ['src/actors/kinds/room.ts', '../shard.ts', 'src/actors/shard.ts'],
    ['src/edge/edge.ts', '../actors/shard.ts', 'src/actors/shard.ts'],
    ['src/edge/edge.ts', '../storage/storage.ts', 'src/storage/storage.ts'],
    ['src/start.ts', '../test/support/clock.ts', 'test/support/clock.ts'],
    ['src/start.ts', '../bench/main.ts', 'bench/main.ts'],
    ['bench/main.ts', '../test/support/clock.ts', 'test/support/clock.ts'],
  ] as const) {
    expect(from(path, target)).toEqual([`${path}:1 imports ${resolved}`]);
  }
  expect(found(checkImports, 'src/new-folder/a.ts', '')).toEqual(['src/new-folder/a.ts:1 is in no layer']);
  for (const [path, target] of [
    ['src/lib/wheel.ts', './clock.ts'],
    ['src/actors/shard.ts', '../storage/storage.ts'],
    ['src/actors/kinds/room.ts', '../actor.ts'],
    ['src/actors/kinds.ts', './kinds/room.ts'],
    ['src/edge/edge.ts', '../actors/route.ts'],
    ['src/edge/edge.ts', 'pino'],
    ['src/start.ts', './edge/edge.ts'],
    ['test/edge/edge.test.ts', '../../src/edge/edge.ts'],
  ] as const) {
    expect(from(path, target)).toEqual([]);
  }
});

test('[TIDY2] a hidden package is found outside its place', () => {
  const source = "import uWS from 'uWebSockets.js';\nimport Database from 'better-sqlite3';";
  expect(found(checkPackages, 'src/edge/edge.ts', source)).toEqual([
    'src/edge/edge.ts:1 imports uWebSockets.js',
    'src/edge/edge.ts:2 imports better-sqlite3',
  ]);
  expect(found(checkPackages, 'src/edge/server.ts', source)).toEqual([
    'src/edge/server.ts:2 imports better-sqlite3',
  ]);
  expect(found(checkPackages, 'src/storage/redis.ts', "import x from 'ioredis/built';")).toEqual([]);
});

test('[TIDY3] a file, a function and a line that are too long are found', () => {
  const body = '  call();\n'.repeat(68);
  const fits = `function a() {\n${body}}\n`;
  expect(found(checkSizes, 'src/a.ts', fits)).toEqual([]);
  expect(found(checkSizes, 'src/a.ts', `\n${fits.replace('{\n', '{\n  more();\n')}`)).toEqual([
    'src/a.ts:2 71 lines of one function',
  ]);
  expect(found(checkSizes, 'src/a.ts', 'a();\n'.repeat(351))).toEqual(['src/a.ts:1 351 lines']);
  expect(found(checkSizes, 'src/a.ts', `\n// ${'x'.repeat(128)}`)).toEqual(['src/a.ts:2 131 characters']);
  expect(longFiles([{ path: 'src/a.ts', text: 'a();\n'.repeat(251) }])).toEqual([
    'src/a.ts: 251 lines of 350',
  ]);
});

test('[TIDY4] what is banned is found in code, with its line, and not in comments and strings', () => {
  const offences = [
    'process.exit(1)',
    'process.env',
    'console.log',
    'Date.now',
    'new Date( )',
    'performance.now',
    'setTimeout',
    'setInterval',
    'setImmediate',
    'Math.random',
    'randomUUID',
    'as any',
    ': any',
    '<any>',
    'any[]',
  ];
  for (const offence of offences) {
    const first = offence.replace('(1)', '(');
    expect(found(checkBans, 'src/start.ts', `\nx = \`\${y ${offence}}\`;`)).toEqual([
      `src/start.ts:2 ${first.trim()}`,
    ]);
    expect(found(checkBans, 'src/start.ts', `// ${offence}\nconst text = '${offence}';`)).toEqual([]);
  }
  // The tildes keep this file from being found itself.
  for (const [written, first] of [
    ['// @ts-ig~nore', '@ts-ig~nore'],
    ['/* eslint-dis~able */', 'eslint-dis~able'],
    ['// TO~DO later', 'TO~DO'],
    ['// FIX~ME', 'FIX~ME'],
    ['try { a(); } catch {~}', 'catch {~}'],
    ['try { a(); } catch (error) {~ }', 'catch (error) {~ }'],
    ['export default 1;', 'export default'],
  ] as const) {
    const [offence, expected] = [written, first].map((text) => text.replace('~', ''));
    expect(found(checkBans, 'test/a.test.ts', `\n${offence}`)).toEqual([`test/a.test.ts:2 ${expected}`]);
  }
  const fine = 'new Date(clock.now()); const anyone: anything = company; catch (e) { /* why */ }';
  expect(found(checkBans, 'src/start.ts', fine)).toEqual([]);
  expect(found(checkBans, 'src/lib/clock.ts', 'Date.now(); setTimeout(a, 1);')).toEqual([]);
  expect(found(checkBans, 'src/main.ts', 'process.exit(2); console.log(1);')).toEqual([]);
  expect(found(checkBans, 'src/thread.ts', 'export default function run() {}')).toEqual([]);
});

test('[TIDY5] a vague name and a name that is not in kebab-case are found', () => {
  for (const name of [
    'utils',
    'string-utils',
    'test-helper',
    'session-manager',
    'user-service',
    'common',
    'misc',
  ]) {
    expect(found(checkNames, `src/lib/${name}.ts`, '')).toEqual([`src/lib/${name}.ts:1 says nothing`]);
  }
  expect(found(checkNames, 'src/lib/rateLimit.ts', '')).toEqual([
    'src/lib/rateLimit.ts:1 is not in kebab-case',
  ]);
  for (const name of ['rate-limit.ts', 'rate-limit.test.ts', 'storage.model.test.ts', 'commons-law.ts']) {
    const expected = name.startsWith('commons') ? 1 : 0;
    expect(found(checkNames, `test/lib/${name}`, '')).toHaveLength(expected);
  }
});

test('[TIDY6] a trace of a workplace is found in any text', () => {
  // The tildes keep this file from being found itself.
  for (const written of ['cd /~work/main', 'see issue ~#12', 'https://registry~.example.org/x']) {
    expect(found(checkTraces, 'README.md', `\n${written.replace('~', '')}`)).toHaveLength(1);
  }
  for (const fine of ['network/work', './work/x', 'the issue is', 'a registry of kinds', 'homework/']) {
    expect(found(checkTraces, 'README.md', fine)).toEqual([]);
  }
});

test('[TIDY7] [TIDY8] a rule without a test, a title without a rule and a rule told twice are found', () => {
  const rule = (id: string): string => `- **${id}** A sentence.`;
  const title = (id: string): string => `test('[${id}] a sentence', () => {});`;
  const files = [
    { path: 'SPEC.md', text: ['# Spec', rule('CHAT1'), rule('CHAT2'), rule('CHAT2')].join('\n') },
    { path: 'CONTRIBUTING.md', text: rule('TIDY1') },
    { path: 'test/a.test.ts', text: [`// ${title('CHAT2')}`, title('CHAT1'), title('CHAT9')].join('\n') },
    { path: 'test/tidy.test.ts', text: title('TIDY2') },
  ];
  const where = (offences: readonly string[]): readonly string[] =>
    offences.map((one) => one.split(' — ')[0] ?? '');
  expect(where(checkRules(files, 'SPEC.md'))).toEqual(['SPEC.md:4', 'test/a.test.ts:3']);
  expect(where(checkRules(files, 'CONTRIBUTING.md'))).toEqual(['CONTRIBUTING.md:1', 'test/tidy.test.ts:1']);
  expect(where(checkDuplicates(files))).toEqual(['SPEC.md:4']);
  expect(where(checkRules([], 'SPEC.md'))).toEqual(['SPEC.md:1']);
});

test('[TIDY9] a second first heading, a dead link and an unknown command are found', () => {
  const fence = '```';
  const readme = [
    '# One',
    fence,
    '# no heading',
    'npm run gone',
    fence,
    '[a](src/a.ts#b) [c](c.md) [d](src/)',
  ];
  const files = [
    { path: 'README.md', text: [...readme, '[e](https://example.org) [f](#one)'].join('\n') },
    { path: 'docs/two.md', text: '# One\n\n# Two' },
    { path: 'docs/none.md', text: '## Two' },
    { path: 'src/a.ts', text: '' },
    { path: 'package.json', text: '{"scripts": {"test": ""}}' },
  ];
  const where = (offences: readonly string[]): readonly string[] =>
    offences.map((one) => one.split(' — ')[0] ?? '');
  expect(where(checkHeadings(files))).toEqual(['docs/two.md:3', 'docs/none.md:1']);
  expect(where(checkLinks(files))).toEqual(['README.md:6']);
  expect(where(checkScripts(files))).toEqual(['README.md:4']);
});
