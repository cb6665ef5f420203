/** First in, first out, without moving what is left: a list read from a moving front. */
export class Queue<Item> {
  #items: Item[] = [];
  #front = 0;

  get length(): number {
    return this.#items.length - this.#front;
  }

  push(item: Item): void {
    this.#items.push(item);
  }

  /** Puts an item before all others: one that was taken and could not be handled yet. */
  unshift(item: Item): void {
    if (this.#front > 0) {
      this.#front -= 1;
      this.#items[this.#front] = item;
    } else this.#items.unshift(item);
  }

  shift(): Item | undefined {
    const item = this.#items[this.#front];
    if (this.#front >= this.#items.length) return undefined;
    this.#front += 1;
    // Taken items are let go of in bulk, when they are half of the list.
    if (this.#front * 2 >= this.#items.length) {
      this.#items = this.#items.slice(this.#front);
      this.#front = 0;
    }
    return item;
  }
}
