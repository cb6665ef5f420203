// The checks of the source. Each gives its offences: `file:line — what — what to do instead`.
import { blankOut, findAll, functionsOf, importsOf } from './scan.ts';
import {
  bans,
  fileLinesMax,
  fileLinesWarn,
  fileName,
  functionLinesMax,
  layers,
  lineCharactersMax,
  packages,
  traces,
  givenNames,
  vagueNames,
} from './tables.ts';
import type { TextFile } from './tree.ts';

function fits(path: string, pattern: string): boolean {
  if (pattern.endsWith('/')) return path.startsWith(pattern);
  const words = pattern.split('*').map((word) => word.replaceAll(/[.+^$(){}|[\]\\]/g, String.raw`\$&`));
  return new RegExp(`^${words.join('[^/]*')}$`).test(path);
}

const fitsAny = (path: string, patterns: readonly string[]): boolean =>
  patterns.some((pattern) => fits(path, pattern));

const isTypescript = (file: TextFile): boolean => file.path.endsWith('.ts');

/** The path of ours that `specifier` names, or null for a package. */
function resolveImport(from: string, specifier: string): string | null {
  if (!specifier.startsWith('.')) return null;
  return new URL(specifier, `file:///${from}`).pathname.slice(1).replace(/\.js$/, '.ts');
}

export function checkImports(files: readonly TextFile[]): readonly string[] {
  return files.filter(isTypescript).flatMap(({ path, text: source }) => {
    const layer = layers.find((row) => fits(path, row.files));
    if (layer === undefined) return [`${path}:1 — is in no layer — give it a row in test/tidy/tables.ts`];
    const allowed = layer.mayImport.join(', ') || 'nothing of ours';
    return importsOf(source).flatMap(({ line, text }) => {
      const target = resolveImport(path, text);
      if (target === null || !target.endsWith('.ts') || fitsAny(target, layer.mayImport)) return [];
      return [`${path}:${line} — imports ${target} — ${layer.files} may import ${allowed}`];
    });
  });
}

export function checkPackages(files: readonly TextFile[]): readonly string[] {
  return files.filter(isTypescript).flatMap((file) =>
    importsOf(file.text).flatMap(({ line, text }) => {
      const hidden = packages.find(({ name }) => text === name || text.startsWith(`${name}/`));
      if (hidden === undefined || fitsAny(file.path, hidden.mayImport)) return [];
      return [`${file.path}:${line} — imports ${text} — only ${hidden.mayImport.join(', ')} may`];
    }),
  );
}

export function checkBans(files: readonly TextFile[]): readonly string[] {
  return files.filter(isTypescript).flatMap((file) => {
    const code = blankOut(file.text);
    return bans
      .filter((ban) => fitsAny(file.path, ban.files) && !fitsAny(file.path, ban.except))
      .flatMap((ban) =>
        findAll(ban.inText === true ? file.text : code, ban.what).map(
          ({ line, text }) => `${file.path}:${line} — ${text.trim()} — ${ban.instead}`,
        ),
      );
  });
}

export function checkSizes(files: readonly TextFile[]): readonly string[] {
  return files.filter(isTypescript).flatMap((file) => {
    const { path } = file;
    const lines = file.text.trimEnd().split('\n');
    const long = lines.flatMap((line, index) =>
      line.length > lineCharactersMax
        ? [`${path}:${index + 1} — ${line.length} characters — at most ${lineCharactersMax}: break it`]
        : [],
    );
    const functions = functionsOf(file.text).flatMap((span) =>
      span.lines > functionLinesMax
        ? [`${path}:${span.line} — ${span.lines} lines of one function — at most ${functionLinesMax}`]
        : [],
    );
    const whole = `${path}:1 — ${lines.length} lines — at most ${fileLinesMax}: split it by noun`;
    return [...(lines.length > fileLinesMax ? [whole] : []), ...functions, ...long];
  });
}

/** Files that are on their way to being too long. */
export function longFiles(files: readonly TextFile[]): readonly string[] {
  return files.filter(isTypescript).flatMap(({ path, text }) => {
    const lines = text.trimEnd().split('\n').length;
    return lines > fileLinesWarn ? [`${path}: ${lines} lines of ${fileLinesMax}`] : [];
  });
}

export function checkNames(files: readonly TextFile[]): readonly string[] {
  return files.filter(isTypescript).flatMap(({ path }) => {
    const name = path.slice(path.lastIndexOf('/') + 1);
    if (vagueNames.test(name) && !givenNames.includes(name))
      return [`${path}:1 — says nothing — name it after the one thing it owns`];
    return fileName.test(name) ? [] : [`${path}:1 — is not in kebab-case — write it like rate-limit.ts`];
  });
}

export function checkTraces(files: readonly TextFile[]): readonly string[] {
  return files.flatMap((file) =>
    findAll(file.text, traces).map(
      ({ line, text }) => `${file.path}:${line} — ${text} — a reader elsewhere has none`,
    ),
  );
}
