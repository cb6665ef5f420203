// Chat rooms.
import type {
  ChatMessage,
  MemberRole,
  OwnRoom,
  ReadReceipt,
  RoomDetail,
  RoomEvent,
  RoomInfo,
  RoomMember,
} from './bodies.ts';
import type { StagewireError } from './error.ts';
import { Follower, type FollowListeners } from './follower.ts';
import type { Stop } from './listeners.ts';
import { pathOf } from './rest.ts';
import type { Messaging } from './messaging.ts';
import { presentOf, type PlaceListeners } from './subscription.ts';

/** At `live` ask for the `history`, and drop what has a `seq` that was there already; or let `follow` do it. */
export interface RoomListeners extends PlaceListeners {
  readonly message: (message: ChatMessage) => void;
  /** It can't go on: the server's refusal. The client's `onRefusal` is told without it. */
  readonly refused?: (error: StagewireError) => void;
}

export class Rooms {
  readonly #client: Messaging;

  constructor(client: Messaging) {
    this.#client = client;
  }

  /** Makes a room, with the user as its first member and admin. A private one is for its members alone. */
  create(name: string, isPrivate = false): Promise<RoomInfo> {
    return this.#client.rest.request('POST', '/api/rooms', { name, isPrivate });
  }

  /** The rooms that the user is a member of, with the role in each. */
  mine(): Promise<readonly OwnRoom[]> {
    return this.#client.rest.get('/api/rooms');
  }

  /** A room by its id. Nothing is asked of the server yet: it may not be there. */
  room(roomId: string): Room {
    return new Room(this.#client, roomId);
  }
}

export class Room {
  readonly roomId: string;
  readonly #client: Messaging;

  constructor(client: Messaging, roomId: string) {
    this.#client = client;
    this.roomId = roomId;
  }

  /**
   * What a chat page shows: the newest messages of the history, then every later one, each once and in the order of
   * `seq`, however late the first connection comes and whatever is missed between. Older ones are in the `history` before
   * the first that was told. A history that can't be had at present is told to `onRefusal` and asked for again.
   *
   * @throws RangeError for a `limit` that can't be had.
   */
  follow(listeners: FollowListeners): Stop {
    const follower = new Follower(this.#client, (page) => this.history(page), listeners);
    const stop = this.#client.subscribe(`/topic/room.${this.roomId}`, follower.events, { isResumable: true });
    return () => {
      follower.stop();
      stop();
    };
  }

  /**
   * Every message from `live` on, once and in order. That is not yet when this returns: between a `history` that is asked
   * for at once and the beginning, messages can be sent that are in neither. `follow` leaves no such gap.
   */
  onMessage(listeners: RoomListeners): Stop {
    const { message, refused } = listeners;
    return this.#client.subscribe(
      `/topic/room.${this.roomId}`,
      {
        message: ({ body }) => message(JSON.parse(body) as ChatMessage),
        present: presentOf(listeners),
        ...(refused ? { refused } : {}),
      },
      { isResumable: true },
    );
  }

  /** Who comes, leaves and types. */
  onEvent(listener: (event: RoomEvent) => void): Stop {
    return this.#client.subscribe(`/topic/room.${this.roomId}.events`, {
      message: ({ body }) => listener(JSON.parse(body) as RoomEvent),
    });
  }

  /** Who has read how far. */
  onRead(listener: (receipt: ReadReceipt) => void): Stop {
    return this.#client.subscribe(`/topic/room.${this.roomId}.receipts`, {
      message: ({ body }) => listener(JSON.parse(body) as ReadReceipt),
    });
  }

  /**
   * Resolves when the message is stored. What comes back to the sender does not bear the `key`. To show it as "sending…"
   * until then: of a user who sends from one page, messages come back in the order of sending, so that the oldest one
   * shown as "sending…" is the next with the user's own `senderId`; and one whose promise rejects will not come. With more
   * pages of one user, take the bubble away when the promise resolves, and show messages as they come.
   */
  send(
    content: string,
    options: { readonly messageType?: string; readonly key?: string } = {},
  ): Promise<void> {
    const { key, ...rest } = options;
    return this.#client.send(
      `/app/chat.send/${this.roomId}`,
      { content, ...rest },
      key === undefined ? {} : { key },
    );
  }

  /** The user has read everything up to that message; others hear of it by `onRead`. Going back does nothing. */
  markRead(lastReadMessageId: string): Promise<void> {
    return this.#client.send(`/app/chat.read/${this.roomId}`, { lastReadMessageId });
  }

  /**
   * Tells who listens by `onEvent` that the user types, or no longer. It does not end by itself: say `typing(false)` when
   * the user stops, and let whoever shows it forget it after some seconds, for a page may be closed first. Call it every few
   * seconds at most, not with every key: each counts as a message in the user's rate, and one over it is dropped.
   */
  typing(typing = true): void {
    this.#client.tell(`/app/chat.typing/${this.roomId}`, { typing });
  }

  /** Newest first. @param before a seq. */
  history({ before, limit = 50 }: { readonly before?: number; readonly limit?: number } = {}): Promise<
    readonly ChatMessage[]
  > {
    const from = before === undefined ? '' : `&before=${before}`;
    return this.#client.rest.get(`${this.#path('messages')}?limit=${limit}${from}`);
  }

  /** The room, how many members it has, and the `seq` of its newest message. */
  details(): Promise<RoomDetail> {
    return this.#client.rest.get(this.#path());
  }

  /** Who is a member, and as what. */
  members(): Promise<readonly RoomMember[]> {
    return this.#client.rest.get(this.#path('members'));
  }

  /** For admins of the room. @throws StagewireError CONFLICT for a member. */
  addMember(userId: string, role: MemberRole = 'MEMBER'): Promise<RoomMember> {
    return this.#client.rest.request('POST', this.#path('members'), { userId, role });
  }

  /** For admins of the room, and for the member: leaves it. */
  async removeMember(userId: string): Promise<void> {
    await this.#client.rest.request('DELETE', this.#path('members', userId));
  }

  #path(...parts: readonly string[]): string {
    return pathOf('api', 'rooms', this.roomId, ...parts);
  }
}
