// A client's connection without a socket: keeps what was sent, and reads it only as fast as the test wants.
import type { Connection, Encoding, Groups } from '../../src/edge/connection.ts';

/** A frame of the server, taken apart and unescaped. */
export interface ServerFrame {
  readonly command: string;
  /** Of a repeated header the first. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly isText: boolean;
}

export class FakeConnection implements Connection {
  readonly address = '192.0.2.7';
  readonly transport = 'websocket';
  readonly encoding: Encoding;
  /** Whether the session has said that it beats by itself. */
  beatsTakenOver = false;
  /** Bytes sent and not read. */
  bufferedBytes = 0;
  /** Whether the client reads what comes. */
  reads = true;
  closed: { readonly code: number; readonly reason: string } | null = null;
  /** Calls after the connection had closed. */
  readonly misuses: string[] = [];
  readonly frames: ServerFrame[] = [];
  /** When heart-beats were sent. */
  readonly beats: number[] = [];
  readonly #groups: FakeGroups;
  readonly #now: () => number;
  readonly #onClosed: () => void;

  constructor(groups: FakeGroups, now: () => number, onClosed: () => void, encoding: Encoding = 'plain') {
    this.encoding = encoding;
    this.#groups = groups;
    this.#now = now;
    this.#onClosed = onClosed;
  }

  send(bytes: Uint8Array, isText: boolean): void {
    this.#check('send');
    if (!this.reads) this.bufferedBytes += bytes.length;
    if (bytes.length === 1 && bytes[0] === 10) this.beats.push(this.#now());
    else this.frames.push(decode(this.#unframed(Buffer.from(bytes)), isText));
  }

  sendGathered(bytes: Uint8Array, isText: boolean): void {
    this.send(bytes, isText);
  }

  join(group: string): void {
    this.#check('join');
    this.#groups.join(group, this);
  }

  leave(group: string): void {
    this.#check('leave');
    this.#groups.leave(group, this);
  }

  takeOverBeats(): void {
    this.beatsTakenOver = true;
  }

  close(code: number, reason: string): void {
    this.#check('close');
    if (!this.closed) this.#close(code, reason);
  }

  /** The client goes without a word. */
  drop(): void {
    if (!this.closed) this.#close(1006, '');
  }

  /** What is published comes in the encoding of the group. */
  #unframed(bytes: Buffer): Buffer {
    if (this.encoding === 'plain' || !bytes.subarray(0, 2).equals(Buffer.from('a['))) return bytes;
    const [message = ''] = JSON.parse(bytes.subarray(1).toString()) as string[];
    return Buffer.from(message);
  }

  #close(code: number, reason: string): void {
    this.closed = { code, reason };
    this.#groups.leaveAll(this);
    // As the transport does: before the call returns.
    this.#onClosed();
  }

  #check(what: string): void {
    if (this.closed) this.misuses.push(`${what} after close`);
  }
}

/** The groups of one edge. */
export class FakeGroups implements Groups {
  /** How many frames were published. */
  published = 0;
  readonly #members = new Map<string, Set<FakeConnection>>();

  publish(group: string, frame: Uint8Array, isText: boolean): void {
    this.published += 1;
    for (const connection of this.#members.get(group) ?? []) connection.send(frame, isText);
  }

  /** How many connections have joined any group. */
  get memberships(): number {
    return [...this.#members.values()].reduce((sum, { size }) => sum + size, 0);
  }

  join(group: string, connection: FakeConnection): void {
    const members = this.#members.get(group) ?? new Set();
    this.#members.set(group, members.add(connection));
  }

  leave(group: string, connection: FakeConnection): void {
    this.#members.get(group)?.delete(connection);
  }

  leaveAll(connection: FakeConnection): void {
    for (const members of this.#members.values()) members.delete(connection);
  }
}

const escapes: Readonly<Record<string, string>> = { '\\n': '\n', '\\r': '\r', '\\c': ':', '\\\\': '\\' };

/** @throws Error when the bytes are not exactly one frame. */
function decode(bytes: Buffer, isText: boolean): ServerFrame {
  const headEnd = bytes.indexOf('\n\n');
  if (headEnd === -1 || bytes.at(-1) !== 0) throw new Error(`no frame: ${JSON.stringify(bytes.toString())}`);
  const [command = '', ...lines] = bytes.subarray(0, headEnd).toString().split('\n');
  const headers: Record<string, string> = {};
  for (const line of lines) {
    const colon = line.indexOf(':');
    const read = (text: string): string => text.replaceAll(/\\[nrc\\]/g, (pair) => escapes[pair] ?? pair);
    headers[read(line.slice(0, colon))] ??= read(line.slice(colon + 1));
  }
  const body = bytes.subarray(headEnd + 2, -1);
  if (Number(headers['content-length'] ?? 0) !== body.length) throw new Error('content-length is wrong');
  return { command, headers, body: body.toString(), isText };
}
