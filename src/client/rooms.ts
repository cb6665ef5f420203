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
import type { Stop } from './listeners.ts';
import { pathOf } from './rest.ts';
import type { Messaging } from './messaging.ts';

export interface RoomListeners {
  readonly message: (message: ChatMessage) => void;
  /** Messages were missed that can't be had from the stream any more: `history` has them. */
  readonly missed?: () => void;
  readonly refused?: (error: StagewireError) => void;
}

export class Rooms {
  readonly #client: Messaging;

  constructor(client: Messaging) {
    this.#client = client;
  }

  create(name: string, isPrivate = false): Promise<RoomInfo> {
    return this.#client.rest.request('POST', '/api/rooms', { name, isPrivate });
  }

  mine(): Promise<readonly OwnRoom[]> {
    return this.#client.rest.get('/api/rooms');
  }

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

  /** Every message from now on, once and in order. */
  onMessage(listeners: RoomListeners): Stop {
    const { message, missed, refused } = listeners;
    return this.#client.subscribe(
      `/topic/room.${this.roomId}`,
      {
        message: ({ body }) => message(JSON.parse(body) as ChatMessage),
        present: (_frame, isStart) => void (isStart || missed?.()),
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

  /** Resolves when the message is stored. */
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

  markRead(lastReadMessageId: string): Promise<void> {
    return this.#client.send(`/app/chat.read/${this.roomId}`, { lastReadMessageId });
  }

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

  details(): Promise<RoomDetail> {
    return this.#client.rest.get(this.#path());
  }

  members(): Promise<readonly RoomMember[]> {
    return this.#client.rest.get(this.#path('members'));
  }

  addMember(userId: string, role: MemberRole = 'MEMBER'): Promise<RoomMember> {
    return this.#client.rest.request('POST', this.#path('members'), { userId, role });
  }

  async removeMember(userId: string): Promise<void> {
    await this.#client.rest.request('DELETE', this.#path('members', userId));
  }

  #path(...parts: readonly string[]): string {
    return pathOf('api', 'rooms', this.roomId, ...parts);
  }
}
