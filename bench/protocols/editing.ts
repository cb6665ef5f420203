// What the load needs to edit a document with others: what is said to a target, and one reader of what comes back.
import type { Change, Changes } from '../../src/text/changes.ts';

/** The load's side of one editor, as a protocol sees it. */
export interface EditingPeer {
  readonly token: string;
  /** Name of the document. */
  readonly document: string;
  /** Sends one text message. */
  write(text: string): void;
  signedIn(): void;
  /** The document as it was when the subscription began. */
  given(content: string, revision: number): void;
  /** The operation that was applied on `revision`: somebody's, also one's own where `echoes` says so. */
  operation(revision: number, bytes: Buffer, start: number, end: number): void;
  /** The server has taken this editor's operation `number`; where there is no echo, it was applied on `revision`. */
  acknowledged(number: number, revision: number | undefined): void;
  /** The server said no. */
  refused(reason: string): void;
}

export interface Edit {
  readonly change: Change;
  /** The revision it is based on. */
  readonly revision: number;
  /** Counts this editor's operations from 1. */
  readonly number: number;
}

/** One object serves all editors of a load process, so it keeps no state of any one of them. */
export interface EditingProtocol {
  /** Whether an editor gets its own operations with everybody else's. */
  readonly echoes: boolean;
  readonly subprotocol: string | undefined;
  requestTarget(token: string): string;
  /** The WebSocket is open: sign in. */
  open(peer: EditingPeer): void;
  /** Makes the document, which is answered as operation 1. */
  create(peer: EditingPeer, content: string): void;
  /** Asks for the document and all operations from then on. */
  follow(peer: EditingPeer): void;
  send(peer: EditingPeer, edit: Edit): void;
  /** Reads the message `bytes[start, end)`. */
  read(bytes: Buffer, start: number, end: number, peer: EditingPeer): void;
  /** What the operation of a message, as handed to `operation`, does. */
  changesIn(message: Buffer): Changes;
}
