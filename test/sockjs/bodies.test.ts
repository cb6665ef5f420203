// Bodies of requests: anyone may send them, so what they take of memory is bounded before anything else is looked at.
import { beforeEach, describe, expect, test } from 'vitest';
import { BodyBudget } from '../../src/edge/sockjs/body-budget.ts';
import { LocalExchange, type ResponseOut } from '../../src/edge/sockjs/local-exchange.ts';
import { plainRequest, unguarded } from '../support/fake-exchange.ts';
import { RawHttp } from '../support/raw-http.ts';
import { newSession, poll, startServices, xhrSend } from '../support/sockjs.ts';

/** A request whose body comes as a test says. */
class FakeBody implements ResponseOut {
  /** What the body came to: a text, or the status that refuses it. */
  came: string | number | null = null;
  #data: (chunk: ArrayBuffer, isLast: boolean) => void = () => undefined;
  #aborted: () => void = () => undefined;

  constructor(budget: BodyBudget) {
    new LocalExchange(this, plainRequest, unguarded).readBody({ bytesMax: 10, budget }, (body) => {
      if (this.came !== null) throw new Error('it was read twice');
      this.came = typeof body === 'number' ? body : Buffer.from(body).toString();
    });
  }

  push(text: string, isLast = false): this {
    this.#data(new Uint8Array(Buffer.from(text)).buffer, isLast);
    return this;
  }

  abort(): void {
    this.#aborted();
  }

  onAborted(handler: () => void): void {
    this.#aborted = handler;
  }

  onData(handler: (chunk: ArrayBuffer, isLast: boolean) => void): void {
    this.#data = handler;
  }

  cork(task: () => void): void {
    task();
  }

  readonly writeStatus = (): void => undefined;
  readonly writeHeader = (): void => undefined;
  readonly write = (): void => undefined;
  readonly end = (): void => undefined;
  readonly endWithoutBody = (): void => undefined;
  readonly close = (): void => undefined;
}

let budget: BodyBudget;

beforeEach(() => {
  budget = new BodyBudget(16);
});

const isFree = (): boolean => {
  const free = budget.take(16);
  if (free) budget.giveBack(16);
  return free;
};

describe('a body', () => {
  test('[SOCKJS13] is read whole, in whatever pieces it comes', () => {
    const body = new FakeBody(budget).push('abc').push('').push('def');
    expect(body.came).toBeNull();
    expect(body.push('g', true).came).toBe('abcdefg');
    expect(isFree()).toBe(true);
  });

  test('[SOCKJS13] that is too long is refused at once, and what comes of it later is nobody’s', () => {
    const body = new FakeBody(budget).push('0123456789').push('x');
    expect(body.came).toBe(413);
    body.push('more').push('last', true);
    expect(body.came).toBe(413);
    expect(isFree()).toBe(true);
  });

  test('[SOCKJS24] finds room only while others leave it some', () => {
    const [one, other] = [new FakeBody(budget).push('01234567'), new FakeBody(budget).push('01234567')];
    expect(new FakeBody(budget).push('x').came).toBe(503);
    one.push('', true);
    expect(new FakeBody(budget).push('x', true).came).toBe('x');
    expect([one.came, other.push('8', true).came]).toEqual(['01234567', '012345678']);
    expect(isFree()).toBe(true);
  });

  test('[SOCKJS24] leaves its room when its client is gone', () => {
    const body = new FakeBody(budget).push('01234567');
    expect(isFree()).toBe(false);
    body.abort();
    expect([isFree(), body.came]).toEqual([true, null]);
    body.abort();
    body.push('more', true);
    expect([isFree(), body.came]).toEqual([true, null]);
  });
});

describe('bodies that are on their way', () => {
  test('[SOCKJS24] have a bound together: one too many is 503, and the others arrive', async () => {
    const base = `${await startServices(true)}/echo`;
    const session = newSession(base);
    await poll(session);
    // The program has room for four mebibytes.
    const text = 'x'.repeat(900_000);
    const body = JSON.stringify([text]);
    const held = Array.from({ length: 5 }, (_, index) => {
      const connection = new RawHttp(base);
      const answer = connection.ask('POST', `${new URL(session).pathname}/xhr_send`, {
        headers: { 'content-length': `${body.length}` },
        body: body.slice(0, -1),
      });
      return { index, connection, answer: answer.then(({ status }) => status) };
    });
    const first = await Promise.race(
      held.map(({ index, answer }) => answer.then((status) => ({ index, status }))),
    );
    expect(first.status).toBe(503);
    expect((await xhrSend(session, body)).status).toBe(503);
    expect((await xhrSend(session, ['small'])).status).toBe(204);
    for (const { connection } of held.filter(({ index }) => index !== first.index)) connection.sendMore(']');
    const statuses = await Promise.all(held.map(({ answer }) => answer));
    expect(statuses.toSorted((one, other) => one - other)).toEqual([204, 204, 204, 204, 503]);
    expect((await xhrSend(session, body)).status).toBe(204);
    for (const { connection } of held) connection.close();
  });
});
