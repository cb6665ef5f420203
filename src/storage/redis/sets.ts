// The sets of the reference, which many nodes and other services change at once. Once nobody changes anything any more
// two things hold:
//
// 1. A member is in a set exactly if some node holds it. What a node holds is in its record before it comes into the set,
//    and until after it was taken out, so that whoever sweeps a dead node finds all that it has left. Two nodes may hold
//    the same: a user tracks an order on both, or an actor has moved. So a node that lets go of something first looks at
//    the records of the others: is it held there too, it just strikes it out of its own record. Else it notes that it
//    is releasing it (nobody leaves anything to a node that is), takes it out, and looks again: whoever has begun to
//    hold it meanwhile may have put it in before it was taken out, so it is put back and let go of once more. A release
//    that breaks off in the middle is begun again by the node, or by whoever sweeps it.
// 2. A user is in `presence:online` exactly if the user's own set has a session. The two sets lie apart in a cluster,
//    so no script can see to it. Instead, whoever has written that a user is there, or gone, because of what it saw in
//    the user's set, looks again afterwards and goes on until it has written what it sees. So the last one to write
//    was right: whoever has changed the user's set after that look has still to write. A node that holds a session
//    writes after that, and need not look: letting go of it comes later.
import type { SetCommands } from './commands.ts';
import { onlineKey, sessionsKey, userOf } from './keys.ts';
import type { Entry } from './ledger.ts';

/** Whose record the entries are in, and how long sets live that nobody refreshes. */
export interface Holder {
  readonly node: string;
  readonly lifeMs: number;
}

/** Each further round needs that somebody changed the same thing in between; what is left then is done later. */
const roundsMax = 16;

/** Puts entries into the sets, and their users into `presence:online`. False when the node has no lease: nothing is. */
export async function hold(
  commands: SetCommands,
  { node, lifeMs }: Holder,
  entries: readonly Entry[],
): Promise<boolean> {
  if (entries.length === 0) return true;
  if (!(await commands.record(node, entries))) return false;
  await put(commands, lifeMs, entries);
  return true;
}

/**
 * Takes entries out of the sets that no other node holds, and users without a session out of `presence:online`.
 *
 * @returns entries that it did not come to release.
 */
export async function release(
  commands: SetCommands,
  { node, lifeMs }: Holder,
  entries: readonly Entry[],
): Promise<readonly Entry[]> {
  let rest = entries;
  for (let round = 0; round < roundsMax && rest.length > 0; round += 1) {
    const alone = await commands.yield(node, rest, round > 0);
    if (alone.length === 0) return [];
    await take(commands, lifeMs, alone);
    rest = await commands.strike(node, alone);
    await put(commands, lifeMs, rest);
  }
  return rest;
}

/** Looks at some of the users in `presence:online`; takes and returns a place in it. Those without a session leave it. */
export async function audit(
  commands: SetCommands,
  lifeMs: number,
  place: string | null,
): Promise<string | null> {
  const [users, next] = await commands.scan(onlineKey, place);
  const sessions = await Promise.all(users.map((userId) => commands.count(sessionsKey(userId))));
  const absent = users.filter((_, index) => sessions[index] === 0);
  await settle(commands, lifeMs, absent);
  return next;
}

async function put(commands: SetCommands, lifeMs: number, entries: readonly Entry[]): Promise<void> {
  const held = byKey(entries);
  await Promise.all(held.map(([key, members]) => commands.hold(key, lifeMs, members)));
  const present = held.map(([key]) => userOf(key)).filter((userId) => userId !== null);
  if (present.length > 0) await commands.hold(onlineKey, lifeMs, present);
}

async function take(commands: SetCommands, lifeMs: number, entries: readonly Entry[]): Promise<void> {
  const released = byKey(entries);
  const left = await Promise.all(released.map(([key, members]) => commands.release(key, members)));
  const absent = released.filter((_, index) => left[index] === 0).map(([key]) => userOf(key));
  await settle(
    commands,
    lifeMs,
    absent.filter((userId) => userId !== null),
  );
}

/** Takes users out of `presence:online` whose last session is gone, unless a new one came meanwhile. */
async function settle(commands: SetCommands, lifeMs: number, users: readonly string[]): Promise<void> {
  let absent = users;
  let present: readonly string[] = [];
  for (let round = 0; round < roundsMax && absent.length + present.length > 0; round += 1) {
    const settling = [...absent, ...present];
    const gone = new Set(absent);
    await Promise.all([
      absent.length > 0 && commands.release(onlineKey, absent),
      present.length > 0 && commands.hold(onlineKey, lifeMs, present),
    ]);
    const sessions = await Promise.all(settling.map((userId) => commands.count(sessionsKey(userId))));
    const wrong = settling.filter((userId, index) => gone.has(userId) === (sessions[index] ?? 0) > 0);
    absent = wrong.filter((userId) => !gone.has(userId));
    present = wrong.filter((userId) => gone.has(userId));
  }
}

function byKey(entries: readonly Entry[]): (readonly [key: string, members: readonly string[]])[] {
  const members = new Map<string, string[]>();
  for (const [key, member] of entries) {
    const of = members.get(key);
    if (of) of.push(member);
    else members.set(key, [member]);
  }
  return [...members];
}
