// Heart-beats of a session, both ways.

export interface HeartBeats {
  /** The server sends something at least this often; 0 for never. */
  readonly sendEveryMs: number;
  /** The client is gone when nothing came for this long; 0 for never. */
  readonly receiveWithinMs: number;
}

/** Beats that may be missed before the client counts as gone. */
const beatsMissedMax = 3;

/**
 * Each direction runs at the slower of what its sender can do and its receiver wants; 0 is never.
 *
 * @param serverEveryMs what the server offers both ways.
 */
export function agreeOnBeats(
  serverEveryMs: number,
  client: { readonly canSendMs: number; readonly wantsMs: number },
): HeartBeats {
  const between = (one: number, other: number): number => (one && other ? Math.max(one, other) : 0);
  return {
    sendEveryMs: between(serverEveryMs, client.wantsMs),
    receiveWithinMs: between(serverEveryMs, client.canSendMs) * beatsMissedMax,
  };
}

/** The server's beats leave this much before they are due, so that a late tick doesn't make them late. */
const beatEarlyMs = 200;

export class Beats {
  /** What CONNECT has settled. */
  agreed: HeartBeats = { sendEveryMs: 0, receiveWithinMs: 0 };
  receivedAtMs: number;
  #sentAtMs = 0;

  constructor(nowMs: number) {
    this.receivedAtMs = nowMs;
  }

  /** Whether the client has missed too many of its beats. */
  isSilent(nowMs: number): boolean {
    const { receiveWithinMs } = this.agreed;
    return receiveWithinMs > 0 && nowMs - this.receivedAtMs >= receiveWithinMs;
  }

  /** @returns whether the server has to send one now, which then counts as sent. */
  take(nowMs: number): boolean {
    if (nowMs < this.#nextAtMs()) return false;
    this.#sentAtMs = nowMs;
    return true;
  }

  /** When there is something to do next. */
  get dueAtMs(): number {
    const { receiveWithinMs } = this.agreed;
    const silentAtMs = receiveWithinMs > 0 ? this.receivedAtMs + receiveWithinMs : Number.POSITIVE_INFINITY;
    return Math.min(silentAtMs, this.#nextAtMs());
  }

  #nextAtMs(): number {
    const { sendEveryMs } = this.agreed;
    return sendEveryMs > 0 ? this.#sentAtMs + sendEveryMs - beatEarlyMs : Number.POSITIVE_INFINITY;
  }
}
