// Requests that come in at one edge for a session at another: what crosses, and what becomes of it when an edge goes.
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createLink } from '../../src/link/link.ts';
import { LocalExchange, type ResponseOut } from '../../src/edge/sockjs/local-exchange.ts';
import { Relay, type RelayedExchange } from '../../src/edge/sockjs/relay.ts';
import { plainRequest, unguarded } from '../support/fake-exchange.ts';
import { Watch } from '../support/watch.ts';

/** A response as the transport has it. */
class FakeOut implements ResponseOut {
  status = '';
  readonly chunks: string[] = [];
  ending: 'open' | 'ended' | 'cut' = 'open';
  #aborted: () => void = () => undefined;

  onAborted(handler: () => void): void {
    this.#aborted = handler;
  }

  onData(): void {
    // There is no body.
  }

  cork(task: () => void): void {
    task();
  }

  writeStatus(status: string): void {
    this.status = status;
  }

  writeHeader(): void {
    // Nobody looks at them here.
  }

  write(chunk: Uint8Array): void {
    this.chunks.push(Buffer.from(chunk).toString());
    watch.changed();
  }

  end(body: string | Uint8Array = ''): void {
    if (body.length > 0) this.chunks.push(Buffer.from(body).toString());
    this.ending = 'ended';
    watch.changed();
  }

  endWithoutBody(): void {
    this.end();
  }

  close(): void {
    this.ending = 'cut';
    this.#aborted();
    watch.changed();
  }

  /** The client is gone. */
  abort(): void {
    this.#aborted();
  }
}

const watch = new Watch(() => JSON.stringify({ served: served.length }));
let served: { exchange: RelayedExchange; body: string }[];
let relays: Relay[];

function join(): void {
  const [one, other] = createLink();
  relays[0]?.connect(1, one);
  relays[1]?.connect(0, other);
}

beforeEach(() => {
  served = [];
  relays = [0, 1].map(
    () =>
      new Relay((exchange, body) => {
        served.push({ exchange, body: Buffer.from(body).toString() });
        watch.changed();
      }),
  );
  join();
});

afterEach(() => {
  for (const relay of relays) relay.close();
});

async function ask(body = ''): Promise<{ out: FakeOut; there: RelayedExchange }> {
  const out = new FakeOut();
  const count = served.length;
  expect(relays[0]?.ask(1, new LocalExchange(out, plainRequest, unguarded), Buffer.from(body))).toBe(true);
  await watch.until(() => served.length === count + 1, 'served');
  return { out, there: served[count]?.exchange as RelayedExchange };
}

describe('a request', () => {
  test('[SOCKJS31] crosses whole, and its response comes back', async () => {
    const { out, there } = await ask('["a"]');
    expect(served[0]).toMatchObject({ body: '["a"]', exchange: { request: plainRequest } });
    expect(relays[0]?.open).toBe(1);
    there.respond(204, {});
    await watch.until(() => out.ending === 'ended', 'answered');
    expect(out.status).toBe('204 No Content');
    expect(relays[0]?.open).toBe(0);
  });

  test('[SOCKJS31] of a stream gets each chunk as one', async () => {
    const { out, there } = await ask();
    there.start({}, Buffer.from('prelude'));
    there.write(Buffer.from('one'));
    there.write(Buffer.from('two'));
    there.end();
    there.write(Buffer.from('too late'));
    await watch.until(() => out.ending === 'ended', 'ended');
    expect([out.status, ...out.chunks]).toEqual(['200 OK', 'prelude', 'one', 'two']);
  });

  test('[SOCKJS31] [SOCKJS9] whose client goes is told of, once', async () => {
    const { out, there } = await ask();
    let aborts = 0;
    there.onAborted = () => {
      aborts += 1;
      watch.changed();
    };
    out.abort();
    await watch.until(() => aborts > 0, 'aborted');
    there.respond(200, {}, 'to nobody');
    expect([aborts, there.done, relays[0]?.open]).toEqual([1, true, 0]);
  });

  test('[SOCKJS40] that fails there is cut here', async () => {
    const { out, there } = await ask();
    there.abort();
    await watch.until(() => out.ending === 'cut', 'cut');
    expect(relays[0]?.open).toBe(0);
  });
});

describe('a fault', () => {
  test('[SOCKJS40] in what follows the end of a client is not thrown into the transport', () => {
    const out = new FakeOut();
    const faults: unknown[] = [];
    const exchange = new LocalExchange(out, plainRequest, (task, giveUp) => {
      try {
        task();
      } catch (thrown) {
        faults.push(thrown);
        giveUp?.();
      }
    });
    exchange.onAborted = () => {
      throw new Error('a fault');
    };
    out.abort();
    expect([faults, exchange.done, out.ending]).toEqual([[new Error('a fault')], true, 'open']);
  });
});

describe('an edge that goes', () => {
  test('[SOCKJS40] takes the responses along that it was to give, and asks nothing more', async () => {
    const { out } = await ask();
    relays[1]?.close();
    await watch.until(() => out.ending === 'cut', 'cut');
    expect(
      relays[0]?.ask(1, new LocalExchange(new FakeOut(), plainRequest, unguarded), Buffer.from('')),
    ).toBe(false);
  });

  test('[SOCKJS40] is known to those who serve what it had asked', async () => {
    const { there } = await ask();
    there.onAborted = () => watch.changed();
    relays[0]?.close();
    await watch.until(() => there.done, 'aborted');
    expect(relays[1]?.open).toBe(0);
  });

  test('[SOCKJS40] is asked again when it is back', async () => {
    relays[1]?.close();
    join();
    const { out, there } = await ask();
    there.respond(200, {}, 'back');
    await watch.until(() => out.ending === 'ended', 'answered');
    expect(out.chunks).toEqual(['back']);
  });
});
