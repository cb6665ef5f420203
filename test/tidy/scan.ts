// TypeScript read without a parser: enough for files that prettier has formatted.

/**
 * The same text, line for line and column for column, with blanks for comments and, unless `keepStrings`, for
 * what stands in strings, templates and regular expressions.
 */
export function blankOut(text: string, keepStrings = false): string {
  const blanked: string[] = [];
  /** Of each template whose expression we are in: the braces that are open in that expression. */
  const openBraces: number[] = [];
  let before = '';
  for (let at = 0; at < text.length;) {
    const token = tokenAt(text, at, before, openBraces.at(-1) === 0);
    at += token.text.length;
    countBraces(openBraces, token);
    const kept = token.kind === 'code' || (keepStrings && token.kind !== 'comment');
    blanked.push(kept ? token.text : token.text.replace(/[^\n]/g, ' '));
    if (token.kind === 'code') before = (before + token.text).slice(-40);
    else if (token.kind !== 'comment') before = ')';
  }
  return blanked.join('');
}

interface Token {
  readonly kind: 'code' | 'comment' | 'string' | 'template';
  readonly text: string;
}

const comment = /\/\/[^\n]*|\/\*[^]*?\*\//y;
const quoted = /'(?:\\[^]|[^'\\\n])*'|"(?:\\[^]|[^"\\\n])*"/y;
/** From the beginning, or from the end of an expression, to the end or to the next expression. */
const template = /[`}](?:\\[^]|(?!\$\{)[^`\\])*(?:`|\$\{)/y;
const regularExpression = /\/(?![*/])(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\[\n])+\/[a-z]*/y;
/** What a slash follows when it begins a regular expression and is no division. */
const beforeRegularExpression = /(?:^|[=(,:;![{}&|?+\n>]|\breturn|\bcase)[ \n]*$/;
const code = /[^'"`/{}]+|[^]/y;

function tokenAt(text: string, at: number, before: string, expressionMayEnd: boolean): Token {
  const take = (kind: Token['kind'], pattern: RegExp): Token | null => {
    pattern.lastIndex = at;
    const found = pattern.exec(text);
    return found === null ? null : { kind, text: found[0] };
  };
  return (
    take('comment', comment) ??
    take('string', quoted) ??
    (text[at] === '`' || (text[at] === '}' && expressionMayEnd) ? take('template', template) : null) ??
    (beforeRegularExpression.test(before) ? take('string', regularExpression) : null) ??
    take('code', code) ?? { kind: 'code', text: text.slice(at) }
  );
}

function countBraces(openBraces: number[], token: Token): void {
  if (token.kind === 'template') {
    if (token.text.startsWith('}')) openBraces.pop();
    if (token.text.endsWith('${')) openBraces.push(0);
  }
  const inner = openBraces.length - 1;
  if (token.kind === 'code' && inner >= 0) {
    const change = token.text === '{' ? 1 : token.text === '}' ? -1 : 0;
    openBraces[inner] = (openBraces[inner] ?? 0) + change;
  }
}

export interface Found {
  readonly line: number;
  readonly text: string;
}

/** Each match of a pattern with the number of its line; of its first group when there is one. */
export function findAll(text: string, pattern: RegExp): readonly Found[] {
  return [...text.matchAll(pattern)].map((match) => {
    const found = match[1] ?? match[0];
    const at = match.index + match[0].lastIndexOf(found);
    return { line: text.slice(0, at).split('\n').length, text: found };
  });
}

/** What a file imports, in any of the forms there are. */
export function importsOf(text: string): readonly Found[] {
  const source = blankOut(text, true);
  const statements = /^\s*(?:import|export)\b[^'"`;]*?\bfrom\s*['"]([^'"]+)['"]/gm;
  const others = /(?:^\s*import\s*|\bimport\(\s*|\bnew URL\(\s*)['"]([^'"]+\.[jt]s|[^'"./][^'"]*)['"]/gm;
  return [...findAll(source, statements), ...findAll(source, others)];
}

export interface FunctionSpan {
  readonly line: number;
  readonly lines: number;
  readonly header: string;
}

const controlWord = /^(?:\} )?(?:if|else|for|while|do|switch|try|catch|finally|with)\b/;
const methodHeader = /^(?:(?:static|async|get|set|override|export|default)\s+)*\*?[#\w$[\].]+\s*(?:<.*)?\(/;

/**
 * The functions of a file that prettier has formatted, nested ones too: a body ends with the first line that
 * is indented like the header and begins with `}`. What holds tests is a list of them and counts as none.
 */
export function functionsOf(text: string): readonly FunctionSpan[] {
  const lines = blankOut(text).split('\n');
  const spans: FunctionSpan[] = [];
  for (const [index, line] of lines.entries()) {
    if (!line.trimEnd().endsWith('{')) continue;
    const indent = line.length - line.trimStart().length;
    const first = line.trim().startsWith(')') ? headerLine(lines, index, indent) : index;
    const header = (lines[first] ?? '').trim();
    if (!opensFunction(header, line.trim())) continue;
    const isEnd = (other: string, at: number): boolean =>
      at > index && other.search(/\S/) === indent && other[indent] === '}';
    const span = lines.slice(first, lines.findIndex(isEnd) + 1);
    const holdsTests = span.some((inner, at) => at > 0 && /^\s+(?:test|it|describe)[.(]/.test(inner));
    if (!holdsTests) spans.push({ line: first + 1, lines: span.length, header });
  }
  return spans;
}

/** Where the parameters begin that end with the line at `index`. */
function headerLine(lines: readonly string[], index: number, indent: number): number {
  for (let at = index - 1; at >= 0; at -= 1) {
    const line = lines[at] ?? '';
    if (line.trim() !== '' && line.length - line.trimStart().length <= indent) return at;
  }
  return index;
}

function opensFunction(header: string, line: string): boolean {
  if (controlWord.test(header) || controlWord.test(line)) return false;
  if (line.endsWith('=> {') || /\bfunction\b/.test(header)) return true;
  return /\)(?::.*)? \{$/.test(line) && methodHeader.test(header);
}
