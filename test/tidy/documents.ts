// What the documents promise, held against the tests, the tree and package.json.
import { blankOut, findAll } from './scan.ts';
import type { TextFile } from './tree.ts';

const linked = ['README.md', 'ARCHITECTURE.md', 'CONTRIBUTING.md', 'SPEC.md', 'CHANGELOG.md'];

function textOf(files: readonly TextFile[], path: string): string | null {
  return files.find((file) => file.path === path)?.text ?? null;
}

/** The ids of the rules in a document: lines like `- **CHAT1** A room …`. */
function rulesOf(files: readonly TextFile[], path: string): ReadonlyMap<string, number> | null {
  const text = textOf(files, path);
  return text === null
    ? null
    : new Map(findAll(text, /^- \*\*([A-Z]+\d+)\*\* /gm).map((rule) => [rule.text, rule.line]));
}

interface Title {
  readonly path: string;
  readonly line: number;
  readonly id: string;
}

// What a title looks like, whoever is called with it, and in the rows of a table of cases.
const quoted = /'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*"|`(?:\\.|[^`\\])*`/;
const title = new RegExp(`[([,]\\s*(?=['"\`]\\[[A-Z]+\\d+\\])(?:${quoted.source})`, 'g');

/** The ids in test titles: `test('[CHAT1] [CHAT2] …', …)`. */
function titlesOf(files: readonly TextFile[]): readonly Title[] {
  return files
    .filter(({ path }) => path.startsWith('test/') && path.endsWith('.ts'))
    .flatMap(({ path, text }) => {
      const code = blankOut(text, true);
      return [...code.matchAll(title)].flatMap((match) => {
        const line = code.slice(0, match.index).split('\n').length;
        return findAll(match[0], /\[([A-Z]+\d+)\]/g).map(({ text: id }) => ({ path, line, id }));
      });
    });
}

/** Rules and titles name each other: those of the house stand in CONTRIBUTING.md, all others in SPEC.md. */
export function checkRules(
  files: readonly TextFile[],
  document: 'SPEC.md' | 'CONTRIBUTING.md',
): readonly string[] {
  const rules = rulesOf(files, document);
  if (rules === null) return [`${document}:1 — is missing — write the rules as lines "- **ID1** …"`];
  const ofHouse = (id: string): boolean => id.startsWith('TIDY');
  const titles = titlesOf(files).filter(({ id }) => ofHouse(id) === (document === 'CONTRIBUTING.md'));
  const tested = new Set(titles.map(({ id }) => id));
  return [
    ...[...rules]
      .filter(([id]) => !tested.has(id))
      .map(([id, line]) => `${document}:${line} — ${id} has no test — begin a title with [${id}]`),
    ...titles
      .filter(({ id }) => !rules.has(id))
      .map(
        ({ id, path, line }) =>
          `${path}:${line} — [${id}] is no rule — write it into ${document} or correct the title`,
      ),
  ];
}

/** No rule is told twice under one id. */
export function checkDuplicates(files: readonly TextFile[]): readonly string[] {
  return ['SPEC.md', 'CONTRIBUTING.md'].flatMap((document) => {
    const all = findAll(textOf(files, document) ?? '', /^- \*\*([A-Z]+\d+)\*\* /gm);
    return all
      .filter((rule, index) => all.findIndex(({ text }) => text === rule.text) < index)
      .map((rule) => `${document}:${rule.line} — ${rule.text} is there already — take the next number`);
  });
}

/** A document without what stands between fences. */
function withoutFences(text: string): string {
  return text.replace(/^(`{3,}|~{3,})[^]*?^\1\s*$/gm, (fenced) => fenced.replace(/[^\n]/g, ' '));
}

export function checkHeadings(files: readonly TextFile[]): readonly string[] {
  return files
    .filter(({ path }) => path.endsWith('.md'))
    .flatMap(({ path, text }) => {
      const headings = findAll(withoutFences(text), /^# .*$/gm);
      if (headings.length === 1) return [];
      return [`${path}:${headings[1]?.line ?? 1} — ${headings.length} first headings — have exactly one`];
    });
}

export function checkLinks(files: readonly TextFile[]): readonly string[] {
  const paths = new Set(files.flatMap(({ path }) => [path, ...foldersOf(path)]));
  return files
    .filter(({ path }) => linked.includes(path))
    .flatMap(({ path, text }) =>
      findAll(withoutFences(text), /\]\(([^()\s]+)\)/g).flatMap(({ line, text: link }) => {
        const [target = ''] = link.split('#');
        if (target === '' || /^[a-z]+:/.test(target)) return [];
        const found = paths.has(new URL(target, `file:///${path}`).pathname.slice(1).replace(/\/$/, ''));
        return found ? [] : [`${path}:${line} — ${link} is not there — correct the link`];
      }),
    );
}

function foldersOf(path: string): readonly string[] {
  const parts = path.split('/');
  return parts.slice(1).map((_, index) => parts.slice(0, index + 1).join('/'));
}

/** Every `npm run x` that the README tells to type is there. */
export function checkScripts(files: readonly TextFile[]): readonly string[] {
  const known = Object.keys(
    (JSON.parse(textOf(files, 'package.json') ?? '{}') as { scripts?: object }).scripts ?? {},
  );
  const readme = textOf(files, 'README.md') ?? '';
  return findAll(readme, /\bnpm run (?:--?[\w-]+ )*([\w:-]+)/g)
    .filter(({ text }) => !known.includes(text))
    .map(
      ({ line, text }) =>
        `README.md:${line} — npm run ${text} is not there — package.json has ${known.join(', ')}`,
    );
}
