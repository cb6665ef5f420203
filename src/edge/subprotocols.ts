// The protocols that a WebSocket can carry, by the names clients offer them.
import type { Encoding } from './connection.ts';
import type { Conversation } from './dialect.ts';
import type { FrameLimits } from './frame.ts';
import { MsgpackConversation } from './msgpack/conversation.ts';
import { StompConversation } from './stomp/conversation.ts';

const binarySubprotocol = 'stagewire.msgpack';
export const stompSubprotocols: readonly string[] = ['v12.stomp', 'v11.stomp', 'v10.stomp'];
const all: readonly string[] = [...stompSubprotocols, binarySubprotocol];

/** @returns the first that is known of a list as the upgrade request has it, or '' for none: the client's order is its wish. */
export function chosenOf(offered: string): string {
  const names = offered.split(',').map((name) => name.trim());
  return names.find((name) => all.includes(name)) ?? '';
}

/** Without a subprotocol it is STOMP, and the client's CONNECT says which. */
export function conversationIn(subprotocol: string, limits: FrameLimits, encoding: Encoding): Conversation {
  return subprotocol === binarySubprotocol
    ? new MsgpackConversation(limits)
    : new StompConversation(limits, encoding);
}
