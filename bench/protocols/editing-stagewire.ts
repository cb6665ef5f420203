// Stagewire's documents over STOMP: every operation asks for a RECEIPT, and its sender gets it like everybody else.
import type { Changes } from '../../src/text/changes.ts';
import { numberAt } from '../lib/digits.ts';
import type { Edit, EditingPeer, EditingProtocol } from './editing.ts';
import { excerpt } from './protocol.ts';

const letterC = 0x43;
const letterM = 0x4d;
const letterR = 0x52;
const newline = 0x0a;

// `MESSAGE\nsubscription:`: the server writes that header first, so one character tells the subscriptions apart.
const subscriptionAt = 'MESSAGE\nsubscription:'.length;
const operationsId = 0x6f;
const openId = 0x64;
const seqHeader = Buffer.from('\nseq:');
const bodyMark = Buffer.from('\n\n');
const receiptHeader = 'RECEIPT\nreceipt-id:'.length;

export class StagewireEditing implements EditingProtocol {
  readonly echoes = true;
  readonly subprotocol = 'v12.stomp';

  requestTarget(): string {
    return '/ws';
  }

  open(peer: EditingPeer): void {
    peer.write(
      `CONNECT\naccept-version:1.2\nhost:127.0.0.1\nheart-beat:0,0\nAuthorization:Bearer ${peer.token}\n\n\0`,
    );
  }

  create(peer: EditingPeer, content: string): void {
    this.send(peer, { change: { position: 0, length: 0, text: content }, revision: 0, number: 1 });
  }

  follow(peer: EditingPeer): void {
    peer.write('SUBSCRIBE\nid:e\ndestination:/user/queue/errors\n\n\0');
    peer.write(`SUBSCRIBE\nid:o\ndestination:/topic/doc.${peer.document}\n\n\0`);
    peer.write(`SUBSCRIBE\nid:d\ndestination:/app/doc.open/${peer.document}\n\n\0`);
  }

  send(peer: EditingPeer, { change, revision, number }: Edit): void {
    const { position, length, text } = change;
    const what =
      text === ''
        ? `"type":"DELETE","position":${position},"length":${length}`
        : `"type":"INSERT","position":${position},"text":${JSON.stringify(text)}`;
    const body = `{${what},"revision":${revision},"operationId":"${number}"}`;
    peer.write(
      `SEND\ndestination:/app/doc.operation/${peer.document}\nreceipt:${number}\n` +
        `content-length:${Buffer.byteLength(body)}\n\n${body}\0`,
    );
  }

  read(bytes: Buffer, start: number, end: number, peer: EditingPeer): void {
    const first = bytes[start];
    if (first === letterM) {
      this.#readMessage(bytes, start, end, peer);
    } else if (first === letterR) {
      peer.acknowledged(numberAt(bytes, start + receiptHeader), undefined);
    } else if (first === letterC) {
      peer.signedIn();
    } else if (first !== newline) {
      peer.refused(excerpt(bytes, start, end));
    }
  }

  changesIn(message: Buffer): Changes {
    const body = message.toString('utf8', message.indexOf(bodyMark) + bodyMark.length, message.length - 1);
    return (JSON.parse(body) as { changes: Changes }).changes;
  }

  #readMessage(bytes: Buffer, start: number, end: number, peer: EditingPeer): void {
    const id = bytes[start + subscriptionAt];
    if (id === operationsId) {
      const seqAt = bytes.indexOf(seqHeader, start + subscriptionAt);
      // The message that is `seq` was applied on revision `seq - 1`.
      peer.operation(numberAt(bytes, seqAt + seqHeader.length) - 1, bytes, start, end);
    } else if (id === openId) {
      const bodyAt = bytes.indexOf(bodyMark, start) + bodyMark.length;
      const opened = JSON.parse(bytes.toString('utf8', bodyAt, end - 1)) as {
        content: string;
        revision: number;
      };
      peer.given(opened.content, opened.revision);
    } else {
      peer.refused(excerpt(bytes, start, end));
    }
  }
}
