// Edits per second of one document, transformed over the last `lag` edits and applied: ours beside two libraries.
import { createRequire } from 'node:module';
import { performance } from 'node:perf_hooks';
import { join } from 'node:path';
import { argv, exit, stdout } from 'node:process';
import { transformOver } from '../../src/text/history.ts';
import { growth, type Change, type Changes } from '../../src/text/changes.ts';
import { Text } from '../../src/text/text.ts';
import { benchFolder, installPackages, isInstalled, packageVersion } from '../lib/packages.ts';
import { spreadOf } from '../lib/statistics.ts';

/** A document and its last edits, as one of the libraries keeps them. */
interface Document {
  /** In UTF-16 units, before the last `lag` edits. */
  lengthBefore(lag: number): number;
  /** Makes an edit of the document as it was `lag` edits ago. */
  edit(change: Change, lag: number): void;
}

interface Entrant {
  readonly name: string;
  readonly open: (content: string) => Document;
}

/** Edits that are kept. */
const window = 128;
const lags = [0, 10, 100];
const sizes = [10_000, 1_000_000];

class History<Edit> {
  readonly edits: Edit[] = [];
  readonly #lengths: number[];

  constructor(length: number) {
    this.#lengths = [length];
  }

  lengthBefore(lag: number): number {
    return this.#lengths[this.#lengths.length - 1 - lag] ?? 0;
  }

  add(edit: Edit, grown: number): void {
    this.edits.push(edit);
    this.#lengths.push(this.lengthBefore(0) + grown);
    if (this.edits.length < 2 * window) return;
    this.edits.splice(0, window);
    this.#lengths.splice(0, window);
  }
}

const ours: Entrant = {
  name: 'src/text',
  open(content) {
    const history = new History<Changes>(content.length);
    const text = Text.from(content);
    return {
      lengthBefore: (lag) => history.lengthBefore(lag),
      edit(change, lag) {
        const changes = transformOver([change], history.edits, history.edits.length - lag);
        text.apply(changes);
        history.add(changes, growth(changes));
      },
    };
  },
};

interface ChangeSet {
  readonly length: number;
  readonly newLength: number;
  map(over: ChangeSet): ChangeSet;
  apply(text: object): object;
}
interface CodeMirror {
  readonly ChangeSet: { of(change: object, length: number): ChangeSet };
  readonly Text: { of(lines: readonly string[]): object };
}

const codeMirror: Entrant = {
  name: '@codemirror/state',
  open(content) {
    const { ChangeSet, Text: Lines } = load('@codemirror/state') as CodeMirror;
    const history = new History<ChangeSet>(content.length);
    let text = Lines.of(content.split('\n'));
    return {
      lengthBefore: (lag) => history.lengthBefore(lag),
      edit({ position, length, text: insert }, lag) {
        const base = history.lengthBefore(lag);
        let changes = ChangeSet.of({ from: position, to: position + length, insert }, base);
        for (const over of history.edits.slice(history.edits.length - lag)) changes = changes.map(over);
        text = changes.apply(text);
        history.add(changes, changes.newLength - changes.length);
      },
    };
  },
};

type Operation = readonly (number | string | { readonly d: number | string })[];
interface OtTextUnicode {
  readonly type: {
    transform(operation: Operation, over: Operation, side: 'left' | 'right'): Operation;
    apply(text: string, operation: Operation): string;
  };
}

const otTextUnicode: Entrant = {
  name: 'ot-text-unicode',
  open(content) {
    const { type } = load('ot-text-unicode') as OtTextUnicode;
    const history = new History<Operation>(content.length);
    let text = content;
    return {
      lengthBefore: (lag) => history.lengthBefore(lag),
      edit({ position, length, text: insert }, lag) {
        let operation: Operation = [insert === '' ? { d: length } : insert];
        if (position > 0) operation = [position, ...operation];
        for (const over of history.edits.slice(history.edits.length - lag)) {
          operation = type.transform(operation, over, 'right');
        }
        const before = text.length;
        text = type.apply(text, operation);
        history.add(operation, text.length - before);
      },
    };
  },
};

function load(name: string): unknown {
  return createRequire(join(benchFolder, 'package.json'))(name);
}

/** The same numbers in every run (mulberry32). */
function numbers(): (below: number) => number {
  let state = 1;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 0x1_0000_0000) * below);
  };
}

/** Edits per second, anywhere: insertions of five letters and removals of one to nine that keep the size. */
function measure(entrant: Entrant, size: number, lag: number, seconds: number): number {
  const next = numbers();
  const content = 'Never was so much owed by so many to so few, he said.\n'.repeat(Math.ceil(size / 54));
  const document = entrant.open(content.slice(0, size));
  const edit = (delay: number): void => {
    const units = document.lengthBefore(delay);
    const length = units < size ? 0 : 1 + next(9);
    const position = next(units - length);
    document.edit({ position, length, text: length === 0 ? 'hello' : '' }, delay);
  };
  for (let count = 0; count < window; count += 1) edit(0);
  let edits = 0;
  let start = performance.now();
  // A fifth of the time to warm up.
  while (performance.now() - start < seconds * 200) for (let count = 0; count < 8; count += 1) edit(lag);
  start = performance.now();
  for (; performance.now() - start < seconds * 1_000; edits += 8) {
    for (let count = 0; count < 8; count += 1) edit(lag);
  }
  return (edits / (performance.now() - start)) * 1_000;
}

const entrants = [ours, codeMirror, otTextUnicode];
const libraries = ['@codemirror/state', 'ot-text-unicode'];
if (!libraries.every(isInstalled) && !installPackages()) exit(1);
const seconds = Number(argv[2] ?? 1);
stdout.write(`${libraries.map(packageVersion).join(', ')}; edits per second, median of three\n\n`);
stdout.write(`| document | lag | ${entrants.map(({ name }) => name).join(' | ')} |\n| --- | --- |`);
stdout.write(`${' --- |'.repeat(entrants.length)}\n`);
for (const size of sizes) {
  for (const lag of lags) {
    const rounds = [0, 1, 2].map(() => entrants.map((entrant) => measure(entrant, size, lag, seconds)));
    const medians = entrants.map(
      (_, index) => spreadOf(rounds.map((round) => round[index] ?? 0))?.median ?? 0,
    );
    const cells = medians.map((median) => Math.round(median).toLocaleString('en'));
    stdout.write(`| ${size.toLocaleString('en')} units | ${lag} | ${cells.join(' | ')} |\n`);
  }
}
