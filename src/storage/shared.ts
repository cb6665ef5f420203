// What nodes share through Redis. All of it may be lost at any time: it is told after the database has it, nobody is
// kept waiting for it, and nothing in it is believed that a session, a row or a checksum does not bear out.

/** Something a node has to say, told when the turn that says it is committed. */
export type SharedChange =
  /** A session of a user is there from now on, or gone: `presence:online`, `presence:user:{userId}:sessions`. */
  | readonly [kind: 'session', userId: string, session: string, isThere: boolean]
  /** Whether a user tracks an order with some session: `order:tracking:{orderId}`. */
  | readonly [kind: 'tracking', orderId: string, userId: string, isTracking: boolean]
  /** A message of a room, with its time, is acknowledged by nobody yet, or has been: `unacked:{roomId}`. */
  | readonly [kind: 'unacked', roomId: string, messageId: string, atMs: number]
  | readonly [kind: 'acked', roomId: string, messageId: string]
  /** How far a durable subscription has been acknowledged. */
  | readonly [kind: 'position', userId: string, name: string, destination: string, epoch: string, seq: number]
  /** The newest snapshot of an actor, as bytes that only `Snapshot` reads; see src/storage/snapshot.ts. */
  | readonly [kind: 'snapshot', actor: string, snapshot: Uint8Array];

export interface SharedPosition {
  readonly epoch: string;
  readonly seq: number;
}

/** One shard's part in what is shared. */
export interface Shared {
  /**
   * Takes changes in their order; never waits and never throws. While Redis is away sessions and trackings are
   * remembered and told when it is back, or is back empty; of all else the newest few are, and the rest is dropped, as
   * is a snapshot of more than 8 MiB.
   */
  tell(change: SharedChange): void;

  /** The newest snapshot of an actor, or null: there is none, or Redis does not answer soon enough. Never rejects. */
  snapshot(actor: string): Promise<Uint8Array | null>;

  /** The position of a durable subscription, or null as above. Never rejects. */
  position(userId: string, name: string, destination: string): Promise<SharedPosition | null>;

  /**
   * Takes back what this shard has said of sessions and trackings, though not at once, as the shard may be back soon and
   * say the same. Resolves when all that was told is heard.
   */
  close(): Promise<void>;
}

/** One node's connection to what is shared. */
export interface SharedNode {
  /** For one shard. */
  part(): Shared;
  /** Takes everything back, writes what waits, and resolves within a few seconds also when Redis does not answer. */
  close(): Promise<void>;
}
