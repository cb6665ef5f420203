// Notifications outlive every end of the process.
import { expect, test } from 'vitest';
import { notificationsLoad } from '../support/kill-notifications.ts';
import { prove } from '../support/kill-rounds.ts';

const load = () => Promise.resolve(notificationsLoad());

test('[KILL5] a notification that was sent, seen or read outlives kill after kill, once and in order', async () => {
  await prove(load, { signal: 'SIGKILL', times: 8, framesMax: 600 });
  expect.hasAssertions();
}, 300_000);

test('[KILL2] a drain loses no notification', async () => {
  await prove(load, { signal: 'SIGTERM', times: 2, framesMax: 600 });
  expect.hasAssertions();
}, 120_000);
