// Numbers of commands, and which element of a frame is what: the tables of SPEC.md.
import type { ClientCommand } from '../frame.ts';

export type ElementType = 'number' | 'text' | 'name' | 'body' | 'headers';

/** What a client's frame holds after its number. */
export interface Layout {
  readonly command: ClientCommand;
  readonly types: readonly ElementType[];
  /** The headers that the elements stand for; '' for those that stand for none. */
  readonly headers: readonly string[];
}

function layout(command: ClientCommand, elements: Readonly<Record<string, ElementType>>): Layout {
  const types = Object.values(elements);
  const headers = Object.entries(elements).map(([name, type]) =>
    type === 'body' || type === 'headers' ? '' : name,
  );
  return { command, types, headers };
}

const acknowledged = { id: 'text', receipt: 'name', headers: 'headers' } as const;
const transaction = { transaction: 'name', receipt: 'name' } as const;

/** By the number of the command. */
export const layouts: readonly (Layout | undefined)[] = [
  undefined,
  layout('CONNECT', { version: 'number', token: 'text', 'can-send': 'number', wants: 'number' }),
  layout('SEND', { destination: 'text', body: 'body', receipt: 'name', headers: 'headers' }),
  layout('SUBSCRIBE', { id: 'name', destination: 'text', receipt: 'name', headers: 'headers' }),
  layout('UNSUBSCRIBE', { id: 'name', receipt: 'name' }),
  layout('ACK', acknowledged),
  layout('NACK', acknowledged),
  layout('BEGIN', transaction),
  layout('COMMIT', transaction),
  layout('ABORT', transaction),
  layout('DISCONNECT', { receipt: 'name' }),
];

export const ServerCommand = { connected: 16, message: 17, receipt: 18, error: 19 } as const;

/** The flags of a MESSAGE. */
export const Flag = { recovered: 1, notRecovered: 2, redelivered: 4 } as const;

export const protocolVersion = 1;
/** The greatest number of a client. */
export const numberMax = 0xffff_ffff;
