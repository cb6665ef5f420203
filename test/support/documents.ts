// Documents as an editor's programmer would use them.
import { applyTo, type Changes } from '../../src/text/changes.ts';
import { parse, type ReceivedFrame, type TestClient } from './stomp.ts';

export interface OperationMessage {
  readonly type?: 'INSERT' | 'DELETE';
  readonly position?: number;
  readonly text?: string;
  readonly length?: number;
  readonly revision: number;
  readonly serverRevision: number;
  readonly operationId: string;
  readonly userId: string;
  readonly changes: Changes;
}

export interface Opened {
  readonly docId: string;
  readonly content: string;
  readonly revision: number;
}

export const operationOf = (frame: ReceivedFrame): OperationMessage =>
  parse(frame) as unknown as OperationMessage;

/** Opens a document: the one MESSAGE. */
export async function openDocument(client: TestClient, docId: string): Promise<Opened> {
  const destination = `/app/doc.open/${docId}`;
  const before = client.received(destination).length;
  const id = await client.subscribe(destination);
  const [frame] = (await client.messages(destination, before + 1)).slice(before);
  await client.unsubscribe(id);
  return parse(frame as ReceivedFrame) as unknown as Opened;
}

let operations = 0;

export function operationId(): string {
  operations += 1;
  return `operation-${operations}`;
}

/** Inserts a text; resolves when it is durable. */
export function insert(
  client: TestClient,
  docId: string,
  [position, text, revision]: readonly [position: number, text: string, revision: number],
): Promise<void> {
  const operation = { type: 'INSERT', position, text, revision, operationId: operationId() };
  return client.send(`/app/doc.operation/${docId}`, operation);
}

/** Deletes units; resolves when it is durable. */
export function remove(
  client: TestClient,
  docId: string,
  [position, length, revision]: readonly [position: number, length: number, revision: number],
): Promise<void> {
  const operation = { type: 'DELETE', position, length, revision, operationId: operationId() };
  return client.send(`/app/doc.operation/${docId}`, operation);
}

/** What a reader has that starts from `content` and applies every operation it was sent. */
export function applied(content: string, frames: readonly ReceivedFrame[]): string {
  return frames.reduce((text, frame) => applyTo(text, operationOf(frame).changes), content);
}
