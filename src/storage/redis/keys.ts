// The names of all keys in Redis. Those of the reference are kept to the letter, so that other services can go on
// reading and writing them. They lie anywhere in a cluster, so each command and script touches one of them alone; our
// own that are needed together have one hash tag and so lie together.

/** Ids of all users that have a session, as a set. */
export const onlineKey = 'presence:online';

/** Ids of a user's sessions, as a set. */
export const sessionsKey = (userId: string): string => `presence:user:${userId}:sessions`;

/** Whose sessions a key holds; null for a key of something else. */
export const userOf = (key: string): string | null => /^presence:user:(.*):sessions$/s.exec(key)?.[1] ?? null;

/** Ids of the users that track an order, as a set. */
export const trackingKey = (orderId: string): string => `order:tracking:${orderId}`;

/** Ids of a room's messages that nobody has acknowledged, as a sorted set by their time in milliseconds. */
export const unackedKey = (roomId: string): string => `unacked:${roomId}`;

/** The living nodes, as a sorted set by the end of their lease, in milliseconds of Redis's clock. */
export const leasesKey = 'stagewire:{nodes}:leases';

/** Nodes whose lease has ended, as a sorted set by the time from which another node may sweep them. */
export const deadKey = 'stagewire:{nodes}:dead';

/** All that a node may have put into the sets above, as a set of entries. */
export const recordKey = (node: string): string => `stagewire:{nodes}:record:${node}`;

export const snapshotKey = (actor: string): string => `stagewire:snapshot:${actor}`;

export const positionKey = (userId: string, name: string, destination: string): string =>
  `stagewire:position:${JSON.stringify([userId, name, destination])}`;
