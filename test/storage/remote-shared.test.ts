// What a shard shares, from its own thread to the one that has Redis.
import { expect, test } from 'vitest';
import { createLink } from '../../src/link/link.ts';
import { RemoteShared, serveShared } from '../../src/storage/remote-shared.ts';
import { FakeShared } from '../support/fake-shared.ts';

class ClosingShared extends FakeShared {
  closed = 0;

  override close(): Promise<void> {
    this.closed += 1;
    return super.close();
  }
}

function joined(): { shared: ClosingShared; remote: RemoteShared; cut: () => void } {
  const shared = new ClosingShared();
  const [one, other] = createLink();
  serveShared(shared, one);
  return { shared, remote: new RemoteShared(other), cut: () => other.port.close() };
}

test('[REDIS15] all that a shard has told is heard before it has ended', async () => {
  const { shared, remote } = joined();
  for (let session = 0; session < 5_000; session += 1) remote.tell(['session', 'alice', `s${session}`, true]);
  const snapshot = new Uint8Array(3_000_000).fill(7);
  remote.tell(['snapshot', 'room/1', snapshot]);
  await remote.close();
  expect(shared.told.length).toBe(5_001);
  expect(Buffer.compare(shared.snapshots.get('room/1') ?? new Uint8Array(0), snapshot)).toBe(0);
  expect(shared.closed).toBe(1);
});

test('[REDIS13] [REDIS14] what is asked is answered', async () => {
  const { remote } = joined();
  remote.tell(['snapshot', 'room/1', Uint8Array.of(1, 2, 3)]);
  remote.tell(['position', 'alice', 'phone', '/topic/a', 'e', 9]);
  const answers = [remote.snapshot('room/1'), remote.position('alice', 'phone', '/topic/a')] as const;
  expect([...((await answers[0]) ?? [])]).toEqual([1, 2, 3]);
  expect(await answers[1]).toEqual({ epoch: 'e', seq: 9 });
  expect(await remote.snapshot('room/2')).toBeNull();
  await remote.close();
});

test('[REDIS13] snapshots that find no room on the way are dropped, sessions are not', async () => {
  const { shared, remote } = joined();
  for (let actor = 0; actor < 8; actor += 1) {
    remote.tell(['snapshot', `room/${actor}`, new Uint8Array(8 * 1024 * 1024)]);
    remote.tell(['session', 'alice', `s${actor}`, true]);
  }
  await remote.close();
  expect(shared.take().length).toBe(8);
  expect(shared.snapshots.size).toBe(5);
});

test('[REDIS9] [REDIS15] when one end is lost the other knows', async () => {
  const { shared, remote, cut } = joined();
  const asked = remote.snapshot('room/1');
  cut();
  expect(await asked).toBeNull();
  expect(await remote.snapshot('room/1')).toBeNull();
  await expect.poll(() => shared.closed).toBe(1);
  await remote.close();
});
