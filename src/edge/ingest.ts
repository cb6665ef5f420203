// A body of JSON lines: goes to the actor list by list, as fast as that takes them, and ends at the first bad line.
// One list is on its way at a time, so that nothing behind a bad line is ever applied.
import { isUtf8 } from 'node:buffer';
import { Refusal } from '../errors.ts';
import { ask, type Asked } from './asking.ts';
import type { Edge } from './edge.ts';
import type { BodyReader, HttpSide } from './http-side.ts';
import { LineCutter } from './lines.ts';
import { jsonResponse, refusalResponse, type RestResponse } from './rest-response.ts';

const lineBytesMax = 64 * 1024;
/** A list is sent when it has so many bytes, or when there is no more for the moment. */
const listBytesMax = 64 * 1024;

interface Line {
  /** Its number in the body, empty ones included, from 1. */
  readonly number: number;
  readonly text: string;
}

export class Ingest implements BodyReader {
  readonly #edge: Edge;
  readonly #http: HttpSide;
  readonly #cutter = new LineCutter(lineBytesMax);
  /** Whom to ask, with each list in turn as the body; null until it is known who asks. */
  #asked: Asked | null = null;
  #lines: Line[] = [];
  #lineCount = 0;
  #applied = 0;
  /** What is wrong with the line after the last of `#lines`. */
  #bad: { readonly line: number; readonly message: string } | null = null;
  #isWhole = false;
  #isAsking = false;
  #hasAsked = false;
  #isDone = false;

  /** @param asked whom to ask, as soon as it is known who asks; or what is wrong with that. */
  constructor(edge: Edge, http: HttpSide, asked: Promise<Asked | Refusal>) {
    this.#edge = edge;
    this.#http = http;
    http.pause();
    void asked.then((known) => {
      if (known instanceof Refusal) return this.#answer(refusalResponse(known));
      if (known.question.key !== null) {
        // It would have to stand for as many commands as the lines happen to make.
        const refusal = new Refusal('BAD_REQUEST', 'A stream of lines takes no Idempotency-Key.');
        return this.#answer(refusalResponse(refusal));
      }
      this.#asked = known;
      return this.#go();
    });
  }

  push(chunk: Uint8Array, isLast: boolean): void {
    if (this.#isDone || this.#bad) return;
    for (const line of this.#cutter.push(chunk)) if (!this.#take(line)) break;
    if (isLast) {
      const line = this.#bad ? null : this.#cutter.end();
      if (line) this.#take(line);
      this.#isWhole = true;
    }
    this.#go();
  }

  abort(): void {
    this.#isDone = true;
    this.#lines = [];
  }

  /** @returns whether the lines after it count. */
  #take(line: Uint8Array | null): boolean {
    this.#lineCount += 1;
    const number = this.#lineCount;
    if (line === null) this.#bad = { line: number, message: `A line has at most ${lineBytesMax} bytes.` };
    else {
      const text = isUtf8(line) ? Buffer.from(line.buffer, line.byteOffset, line.length).toString() : '?';
      if (text.trim() === '') return true;
      // A line that is half a value or two of them would still make a list of all of them.
      if (isJson(text)) this.#lines.push({ number, text });
      else this.#bad = { line: number, message: 'The line is not JSON.' };
    }
    return this.#bad === null;
  }

  /** Sends the next list when none is on its way, or ends. */
  #go(): void {
    if (this.#isDone || this.#isAsking || !this.#asked) return;
    if (this.#lines.length > 0) {
      let bytes = 0;
      const count = this.#lines.findIndex((line) => (bytes += line.text.length) >= listBytesMax) + 1;
      return this.#ask(this.#asked, this.#lines.splice(0, count || this.#lines.length));
    }
    if (this.#bad) return this.#refuseLine(this.#bad.line, new Refusal('BAD_REQUEST', this.#bad.message));
    if (!this.#isWhole) return this.#http.resume();
    // An empty list tells whoever may not send any that it may not.
    if (!this.#hasAsked) return this.#ask(this.#asked, []);
    this.#answer(jsonResponse(200, { applied: this.#applied }));
  }

  #ask(asked: Asked, lines: readonly Line[]): void {
    if (this.#edge.draining) return this.#refuse(new Refusal('UNAVAILABLE', 'The server drains.'));
    this.#isAsking = true;
    this.#hasAsked = true;
    // Also makes up for the transport's idea of how fast a body must come.
    this.#http.pause();
    const question = { ...asked.question, body: listOf(lines) };
    ask(
      this.#edge,
      { ...asked, question },
      {
        answered: (body) => {
          this.#isAsking = false;
          this.#applied += appliedIn(body) ?? lines.length;
          this.#go();
        },
        refused: (refusal) => {
          this.#isAsking = false;
          this.#refused(asked, lines, refusal);
        },
      },
    );
  }

  /** A refused list was not applied at all: what comes before its bad line is sent again. */
  #refused(asked: Asked, lines: readonly Line[], refusal: Refusal): void {
    if (this.#isDone) return;
    const [first] = lines;
    if (refusal.code !== 'BAD_REQUEST' || !first) return this.#refuse(refusal);
    if (lines.length === 1) return this.#refuseLine(first.number, refusal);
    const { index } = refusal.detail;
    const isTold = typeof index === 'number' && Number.isInteger(index) && index >= 0 && index < lines.length;
    // Where the actor does not say which one is bad, half of the list is tried at a time.
    const half = Math.ceil(lines.length / 2);
    const before = lines.slice(0, isTold ? index : half);
    const after = isTold ? lines.slice(index, index + 1) : lines.slice(half);
    if (before.length === 0) return this.#refuseLine(first.number, refusal);
    this.#lines = [...after, ...this.#lines];
    this.#ask(asked, before);
  }

  #refuseLine(line: number, { message }: Refusal): void {
    this.#refuse(new Refusal('BAD_REQUEST', message, { line }));
  }

  #refuse({ code, message, detail }: Refusal): void {
    const { index: _, ...rest } = detail;
    this.#answer(refusalResponse(new Refusal(code, message, { ...rest, applied: this.#applied })));
  }

  #answer(response: RestResponse): void {
    if (this.#isDone) return;
    this.abort();
    this.#http.reply(response);
  }
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

function listOf(lines: readonly Line[]): Uint8Array {
  return Buffer.from(`[${lines.map(({ text }) => text).join(',')}]`);
}

function appliedIn(body: Uint8Array | null): number | null {
  if (!body || body.length === 0) return null;
  const value = JSON.parse(Buffer.from(body).toString()) as { readonly applied?: unknown } | null;
  return typeof value?.applied === 'number' ? value.applied : null;
}
