// One request's transport without a socket.
import type { HttpSide } from '../../src/edge/http-side.ts';
import type { RestResponse } from '../../src/edge/rest-response.ts';

export class FakeHttp implements HttpSide {
  isPaused = false;
  /** Whether the answer ends the connection. */
  closes = false;
  #response: RestResponse | null = null;

  get answered(): boolean {
    return this.#response !== null;
  }

  pause(): void {
    this.isPaused = true;
  }

  resume(): void {
    this.isPaused = false;
  }

  reply(response: RestResponse, closes = false): void {
    if (this.#response) throw new Error('answered twice');
    this.#response = response;
    this.closes = closes;
  }

  /** @throws Error when there is none yet. */
  answer(): { status: number; body: unknown } {
    if (!this.#response) throw new Error('not answered');
    const { status, body } = this.#response;
    return { status, body: body ? (JSON.parse(Buffer.from(body).toString()) as unknown) : null };
  }
}
