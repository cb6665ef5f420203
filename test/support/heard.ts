// What a library that calls back has told, to wait on.
import { Watch } from './watch.ts';

export class Heard<Message extends { readonly body: string }> {
  readonly messages: Message[] = [];
  /** Of ERROR frames and of lost connections, as the library tells them. */
  readonly failures: unknown[] = [];
  /** The CONNECTED frames, or whatever says that a connection stands. */
  readonly connects: unknown[] = [];
  readonly #receipts = new Set<string>();
  readonly #watch = new Watch(() => JSON.stringify([this.connects, this.bodies, this.failures]));

  get bodies(): string[] {
    return this.messages.map(({ body }) => body);
  }

  readonly message = (message: Message): void => this.#push(this.messages, message);

  readonly failure = (failure: unknown): void => this.#push(this.failures, failure);

  readonly connected = (frame: unknown): void => this.#push(this.connects, frame);

  readonly receipt = (frame: { readonly headers: Readonly<Record<string, string | undefined>> }): void => {
    this.#receipts.add(frame.headers['receipt-id'] ?? '');
    this.#watch.changed();
  };

  until(holds: () => boolean, what: string): Promise<void> {
    return this.#watch.until(holds, what);
  }

  /** Waits for so many messages. @returns the newest of them. */
  async arrived(count: number): Promise<Message> {
    await this.until(() => this.messages.length >= count, `${count} messages`);
    return this.messages[count - 1] as Message;
  }

  received(receipt: string): Promise<void> {
    return this.until(() => this.#receipts.has(receipt), `receipt ${receipt}`);
  }

  #push<Item>(items: Item[], item: Item): void {
    items.push(item);
    this.#watch.changed();
  }
}
