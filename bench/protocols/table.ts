// The one list of protocols, by the name that crosses to a load process.
import type { Protocol } from './protocol.ts';
import { RawProtocol } from './raw.ts';
import { SocketIoProtocol } from './socket-io.ts';
import { StagewireMsgpackProtocol } from './stagewire-msgpack.ts';
import { stagewireDialect, StompProtocol, stompBrokerDialect } from './stomp.ts';
import { SockjsProtocol } from './stagewire-sockjs.ts';

/** Bytes of Stagewire's MESSAGE for a chat message that are not its content: headers, ids, times. */
export const messageOverheadBytes = 415;

const protocols = {
  raw: (contentBytes: number): Protocol => new RawProtocol(contentBytes + messageOverheadBytes),
  stagewire: (contentBytes: number): Protocol => new StompProtocol(stagewireDialect(contentBytes)),
  'stagewire-msgpack': (contentBytes: number): Protocol => new StagewireMsgpackProtocol(contentBytes),
  'stomp-broker': (contentBytes: number): Protocol =>
    new StompProtocol(stompBrokerDialect(contentBytes + messageOverheadBytes)),
  'socket.io': (contentBytes: number): Protocol => new SocketIoProtocol(contentBytes + messageOverheadBytes),
  'stagewire-sockjs': (contentBytes: number): Protocol =>
    new SockjsProtocol(new StompProtocol(stagewireDialect(contentBytes))),
};

export type ProtocolName = keyof typeof protocols;

/**
 * A protocol whose delivered messages are as long as Stagewire's over STOMP for a content of `contentBytes`; those of its
 * binary protocol are shorter.
 */
export function makeProtocol(name: ProtocolName, contentBytes: number): Protocol {
  return protocols[name](contentBytes);
}
