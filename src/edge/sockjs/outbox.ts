// What was sent to a client over HTTP and waits for a response to bring it.

export class Outbox {
  /** Messages as they stand in a frame. */
  #messages: Uint8Array[] = [];
  #bytes = 0;

  get bytes(): number {
    return this.#bytes;
  }

  get isEmpty(): boolean {
    return this.#messages.length === 0;
  }

  push(message: Uint8Array): void {
    this.#messages.push(message);
    this.#bytes += message.length;
  }

  /** The oldest messages, at least one, that together reach that size. There must be one. */
  take(bytesMax: number): Uint8Array[] {
    let bytes = 0;
    let count = 0;
    do {
      bytes += this.#messages[count]?.length ?? 0;
      count += 1;
    } while (bytes < bytesMax && count < this.#messages.length);
    this.#bytes -= bytes;
    return this.#messages.splice(0, count);
  }

  clear(): void {
    this.#messages = [];
    this.#bytes = 0;
  }
}
