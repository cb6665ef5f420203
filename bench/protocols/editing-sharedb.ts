// ShareDB's JSON over a WebSocket, with the type `text` of ot-text: what its bindings for editors use.
import { ChangesBuilder, type Changes } from '../../src/text/changes.ts';
import { numberAt } from '../lib/digits.ts';
import type { Edit, EditingPeer, EditingProtocol } from './editing.ts';
import { excerpt } from './protocol.ts';

const collection = 'documents';
const typeUri = 'http://sharejs.org/types/textv1';
/** The beginning of another's operation, up to the name of the document. */
const operationHead = Buffer.from(`{"a":"op","c":"${collection}","d":"`);
const versionMark = Buffer.from('","v":');
const contentMark = Buffer.from('"op":');

/** Skips, insertions and deletions from the beginning of the document on. */
type TextOperation = readonly (number | string | { readonly d: number })[];

interface Message {
  readonly a: string;
  readonly v?: number;
  readonly seq?: number;
  readonly op?: TextOperation;
  readonly create?: unknown;
  readonly data?: { readonly v: number; readonly data?: string };
  readonly error?: { readonly code?: string; readonly message?: string };
}

export class ShareDbEditing implements EditingProtocol {
  readonly echoes = false;
  readonly subprotocol = undefined;

  requestTarget(token: string): string {
    return `/?token=${token}`;
  }

  open(peer: EditingPeer): void {
    peer.write('{"a":"hs","id":null,"protocol":1,"protocolMinor":2}');
  }

  create(peer: EditingPeer, content: string): void {
    const create = { type: typeUri, data: content };
    peer.write(JSON.stringify({ a: 'op', c: collection, d: peer.document, v: 0, seq: 1, x: {}, create }));
  }

  follow(peer: EditingPeer): void {
    peer.write(JSON.stringify({ a: 's', c: collection, d: peer.document, v: null }));
  }

  send(peer: EditingPeer, { change, revision, number }: Edit): void {
    const { position, length, text } = change;
    const content = text === '' ? `{"d":${length}}` : JSON.stringify(text);
    const op = position === 0 ? content : `${position},${content}`;
    peer.write(
      `{"a":"op","c":"${collection}","d":"${peer.document}","v":${revision},"seq":${number},"x":{},"op":[${op}]}`,
    );
  }

  read(bytes: Buffer, start: number, end: number, peer: EditingPeer): void {
    const headEnd = start + operationHead.length;
    if (headEnd <= end && bytes.compare(operationHead, 0, operationHead.length, start, headEnd) === 0) {
      const at = bytes.indexOf(versionMark, start) + versionMark.length;
      // An operation of this editor comes back without its content.
      if (bytes.subarray(start, end).includes(contentMark)) {
        peer.operation(numberAt(bytes, at), bytes, start, end);
        return;
      }
    }
    this.#answer(JSON.parse(bytes.toString('utf8', start, end)) as Message, peer, () =>
      excerpt(bytes, start, end),
    );
  }

  changesIn(message: Buffer): Changes {
    const { op = [] } = JSON.parse(message.toString()) as Message;
    const changes = new ChangesBuilder();
    let position = 0;
    for (const part of op) {
      if (typeof part === 'number') {
        position += part;
      } else if (typeof part === 'string') {
        changes.add(position, 0, part);
      } else {
        changes.add(position, part.d, '');
        position += part.d;
      }
    }
    return changes.build();
  }

  #answer(message: Message, peer: EditingPeer, shown: () => string): void {
    const { a, error, seq, v, data } = message;
    if (error?.code === 'ERR_NO_OP' && seq !== undefined) {
      // Others have removed the same: there is nothing left to apply, which ShareDB tells so.
      peer.acknowledged(seq, undefined);
    } else if (error !== undefined) {
      peer.refused(shown());
    } else if (a === 'hs') {
      peer.signedIn();
    } else if (a === 's' && data !== undefined) {
      peer.given(data.data ?? '', data.v);
    } else if (a === 'op' && seq !== undefined && message.create === undefined) {
      peer.acknowledged(seq, v);
    } else if (a !== 'init') {
      peer.refused(shown());
    }
  }
}
