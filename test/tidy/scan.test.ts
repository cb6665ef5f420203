import { expect, test } from 'vitest';
import { blankOut, functionsOf, importsOf } from './scan.ts';
import { readTree } from './tree.ts';

test('comments, strings, templates and regular expressions are blanked out, code in templates is not', () => {
  const source = [
    "const a = 'x // y'; // z",
    'const b = `${now()} text ${`in ${ner({ a: 1 })}`} }` + c;',
    'const d = /[\'"`/]\\//.test(e) ? f / g : h / i; /* j',
    "k */ l('it\\'s', \"m\");",
  ];
  const blanked = blankOut(source.join('\n')).split('\n');
  expect(blanked.map((line) => line.length)).toEqual(source.map((line) => line.length));
  expect(blanked.map((line) => line.replaceAll(/ +/g, ' '))).toEqual([
    'const a = ; ',
    'const b = now() ner({ a: 1 }) + c;',
    'const d = .test(e) ? f / g : h / i; ',
    ' l( , );',
  ]);
  expect(blankOut(source.join('\n'), true).split('\n')[0]).toBe("const a = 'x // y';     ");
});

test('every form of import is seen, and nothing in comments', () => {
  const source = `import { a } from './a.ts';
import type {
  B,
} from "./b.ts";
import './c.ts';
export { d } from './d.ts';
const e = await import('./e.ts');
new Worker(new URL('./f.js', import.meta.url));
// import { g } from './g.ts';
import h from 'h-package';
const text = "from './i.ts'";`;
  expect(importsOf(source).map(({ line, text }) => `${line} ${text}`)).toEqual([
    '1 ./a.ts',
    '4 ./b.ts',
    '6 ./d.ts',
    '10 h-package',
    '5 ./c.ts',
    '7 ./e.ts',
    '8 ./f.js',
  ]);
});

test('functions of every form are measured from header to closing brace', () => {
  const source = `export async function one(): Promise<void> {
  if (a) {
    b();
  }
}
class Two {
  #three(
    a: number,
    b: string,
  ): { c: number } {
    for (const d of e) {
      f();
    }
  }
  get four(): number {
    return 4;
  }
  readonly five = (a: number): void => {
    switch (a) {
      default:
    }
  };
}
const six = {
  seven: { eight: 8 },
};
test('nine', async () => {
  call(ten, {
    eleven: \`}\`,
  });
});
describe('twelve', () => {
  test('thirteen', () => {
  });
});
const fourteen = useful((fifteen) => {
  return '}';
});`;
  expect(functionsOf(source).map(({ line, lines }) => `${line}:${lines}`)).toEqual([
    '1:5',
    '7:8',
    '15:3',
    '18:5',
    '27:5',
    '33:2',
    '36:3',
  ]);
});

test('the tree is read whole, without what is built or installed', () => {
  const paths = readTree().map(({ path }) => path);
  expect(paths).toContain('test/tidy/checks.test.ts');
  expect(paths).toContain('package.json');
  expect(paths.filter((path) => /(?:^|\/)(?:node_modules|dist|\.git)\//.test(path))).toEqual([]);
});
