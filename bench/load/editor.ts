// One editor of a document: keeps one operation under way and follows everybody's.
import type { Change } from '../../src/text/changes.ts';
import { makeDeferred } from '../lib/deferred.ts';
import { WebSocketClient, type WebSocketListener } from '../lib/websocket-client.ts';
import type { EditingPeer, EditingProtocol } from '../protocols/editing.ts';
import type { Replica } from './replica.ts';

/** Who hears what happens to the editors. */
export interface EditorListener {
  /** Somebody's operation has come to the editor. */
  received(editor: Editor, bytes: number): void;
  acknowledged(editor: Editor, dueUs: number): void;
  refused(reason: string): void;
  wrong(reason: string): void;
  closed(reason: string): void;
}

export interface EditorOptions {
  readonly replica: Replica;
  readonly protocol: EditingProtocol;
  readonly port: number;
  readonly token: string;
  readonly listener: EditorListener;
  /** Whether nobody else edits the document. */
  readonly isAlone: boolean;
}

/** Operations that came before their turn; more are a fault of the server. */
const heldMax = 10_000;

export class Editor implements EditingPeer, WebSocketListener {
  readonly token: string;
  readonly replica: Replica;
  /** Resolve once the server has accepted the token, and once it has told what the document is. */
  readonly isIn: Promise<void>;
  readonly hasOpened: Promise<{ readonly content: string; readonly revision: number }>;
  /** The revision of the text this editor has; -1 before it has any. */
  revision = -1;
  /** Operations sent, and those answered. */
  sent = 0;
  answered = 0;
  /** When what waits for its turn was due; of a paced run. */
  readonly due: number[] = [];

  readonly #options: EditorOptions;
  readonly #client: WebSocketClient;
  readonly #in = makeDeferred();
  readonly #opened = makeDeferred<{ readonly content: string; readonly revision: number }>();
  readonly #held = new Map<number, Buffer>();
  /** Its own operations that are not sent back, by the revision they were applied on. */
  readonly #own = new Map<number, Change>();
  /** Of the text it has: exact when all of that has come, else no more than it is. */
  #length = 0;
  #hasLeft = false;
  #underWay: { readonly number: number; readonly change: Change; readonly dueUs: number } | null = null;

  constructor(options: EditorOptions) {
    this.#options = options;
    this.token = options.token;
    this.replica = options.replica;
    this.isIn = this.#in.promise;
    this.hasOpened = this.#opened.promise;
    // Either may be rejected while nobody waits for it.
    this.isIn.catch(() => undefined);
    this.hasOpened.catch(() => undefined);
    const { protocol, port, token } = options;
    const requestTarget = protocol.requestTarget(token);
    this.#client = new WebSocketClient({ port, requestTarget, subprotocol: protocol.subprotocol }, this);
  }

  get document(): string {
    return this.replica.name;
  }

  get isBusy(): boolean {
    return this.#underWay !== null;
  }

  get length(): number {
    return this.#length;
  }

  /** Makes the document; resolves when that is answered. */
  create(content: string): void {
    this.sent = 1;
    const change = { position: 0, length: 0, text: content };
    this.#underWay = { number: 1, change, dueUs: 0 };
    this.#options.protocol.create(this, content);
  }

  follow(): void {
    this.#options.protocol.follow(this);
  }

  /** Starts from what the document was when it was opened. */
  start({ content, revision }: { readonly content: string; readonly revision: number }): void {
    this.#length = content.length;
    this.revision = revision;
    this.#catchUp();
  }

  /** Sends one operation on the text it has. */
  send(change: Change, dueUs: number): void {
    this.sent += 1;
    this.#underWay = { number: this.sent, change, dueUs };
    this.#options.protocol.send(this, { change, revision: this.revision, number: this.sent });
  }

  /** Ends the connection without a word to the server or the listener. */
  leave(): void {
    this.#hasLeft = true;
    this.#client.destroy();
  }

  write(text: string): void {
    this.#client.send(text);
  }

  signedIn(): void {
    this.#in.resolve();
  }

  opened(): void {
    this.#options.protocol.open(this);
  }

  given(content: string, revision: number): void {
    this.#opened.resolve({ content, revision });
  }

  operation(revision: number, bytes: Buffer, start: number, end: number): void {
    this.#options.listener.received(this, end - start);
    if (revision === this.revision) {
      this.#take(revision, bytes, start, end);
      if (this.#held.size > 0) {
        this.#catchUp();
      }
    } else if (this.revision < 0 || revision > this.revision) {
      this.#held.set(revision, Buffer.from(bytes.subarray(start, end)));
      if (this.#held.size > heldMax) {
        this.#options.listener.wrong(
          `operation ${this.revision} of ${this.document} never came to an editor`,
        );
        this.#client.destroy();
      }
    }
  }

  acknowledged(number: number, revision: number | undefined): void {
    const underWay = this.#underWay;
    if (underWay?.number !== number) {
      this.#options.listener.wrong(`operation ${number} was acknowledged out of turn`);
      return;
    }
    this.#underWay = null;
    this.answered += 1;
    if (revision !== undefined && this.revision >= 0) {
      this.#ownAt(revision, underWay.change);
    }
    this.#options.listener.acknowledged(this, underWay.dueUs);
  }

  refused(reason: string): void {
    this.#options.listener.refused(reason);
    this.#fail(new Error(`refused: ${reason}`));
  }

  message(bytes: Buffer, start: number, end: number): void {
    this.#options.protocol.read(bytes, start, end, this);
  }

  closed(reason: string): void {
    if (!this.#hasLeft) {
      this.#options.listener.closed(reason);
    }
    this.#fail(new Error(reason));
  }

  #fail(error: Error): void {
    this.#in.reject(error);
    this.#opened.reject(error);
  }

  #take(revision: number, bytes: Buffer, start: number, end: number): void {
    if (!this.replica.received(revision, bytes, start, end)) {
      this.#options.listener.wrong(
        `two editors were sent DIFFERENT operations ${revision} of ${this.document}`,
      );
    }
    this.revision = revision + 1;
    const known = this.replica.lengthAt(this.revision);
    // It may have come before another that only the editor who made it knows of.
    this.#length = known ?? this.#length + this.replica.growthOf(Buffer.from(bytes.subarray(start, end)));
  }

  /** Its own operation was applied on `revision`, the others' before that having come or being on their way. */
  #ownAt(revision: number, change: Change): void {
    if (this.#options.isAlone) {
      this.replica.own([change]);
    }
    this.#own.set(revision, change);
    this.#catchUp();
  }

  /** Goes on with what came before its turn. */
  #catchUp(): void {
    for (;;) {
      const own = this.#own.get(this.revision);
      const held = this.#held.get(this.revision);
      if (own !== undefined) {
        this.#own.delete(this.revision);
        this.revision += 1;
        // What others removed of it first is not known here before they got it, so the least that is left counts.
        const least = Math.max(0, this.#length + own.text.length - own.length);
        this.#length = this.replica.lengthAt(this.revision) ?? least;
      } else if (held !== undefined) {
        this.#take(this.revision, held, 0, held.length);
      } else {
        break;
      }
    }
    for (const revision of this.#held.keys()) {
      if (revision < this.revision) {
        this.#held.delete(revision);
      }
    }
  }
}
