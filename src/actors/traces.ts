// Traces of texts: tells for sure which texts were never added, in four bytes each.

const slotsMin = 1_024;

export class Traces {
  // Open addressing; 0 is a free slot.
  #slots = new Uint32Array(slotsMin);
  #size = 0;

  /** @param words as `words` gives them. */
  static of(words: Uint32Array): Traces {
    const traces = new Traces();
    let slots = slotsMin;
    while (slots <= words.length * 2) slots *= 2;
    traces.#slots = new Uint32Array(slots);
    for (const word of words) traces.#addTrace(word);
    return traces;
  }

  get size(): number {
    return this.#size;
  }

  /** False when the text was never added; true when it was, or, rarely, when another like it was. */
  mayHave(text: string): boolean {
    const trace = traceOf(text);
    return this.#slots[this.#slotFor(trace)] === trace;
  }

  add(text: string): void {
    this.#addTrace(traceOf(text));
  }

  #addTrace(trace: number): void {
    const slot = this.#slotFor(trace);
    if (this.#slots[slot] === trace) return;
    this.#slots[slot] = trace;
    this.#size += 1;
    if (this.#size * 2 <= this.#slots.length) return;
    const before = this.#slots;
    this.#slots = new Uint32Array(before.length * 2);
    for (const one of before) if (one !== 0) this.#slots[this.#slotFor(one)] = one;
  }

  /** All of them, in no order. */
  words(): Uint32Array {
    return this.#slots.filter((trace) => trace !== 0);
  }

  /** Where the trace is, or where it would go. */
  #slotFor(trace: number): number {
    const mask = this.#slots.length - 1;
    let slot = trace & mask;
    while (this.#slots[slot] !== 0 && this.#slots[slot] !== trace) slot = (slot + 1) & mask;
    return slot;
  }
}

/** FNV-1a over UTF-16 units, mixed so that its low bits spread; never 0. */
export function traceOf(text: string): number {
  let value = 0x811c9dc5;
  for (let index = 0; index < text.length; index += 1) {
    value = Math.imul(value ^ text.charCodeAt(index), 0x01000193);
  }
  value = Math.imul(value ^ (value >>> 16), 0x45d9f3b);
  return (value ^ (value >>> 16)) >>> 0 || 1;
}
