// The doors of the actors, as data: what an edge must know of the kinds to send a frame or a request to the right
// actor. This is all of src/actors that the edge may see.

export type Method = 'SEND' | 'SUBSCRIBE' | 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/**
 * Where the id of a command's actor comes from: `{id}` in the path, the asking user, a new unique id, a field of the
 * JSON body or a new one where it has none (`body:orderId`), or each name of a list in the query string, whose answers
 * become one list (`each:users`).
 */
export type IdSource = 'path' | 'user' | 'new' | `body:${string}` | `each:${string}`;

/**
 * A pattern such as `/app/chat.send/{id}`. `{id}` names the actor; other placeholders become parameters. A
 * placeholder stands for one or more characters other than `/`, or for anything with `{name:**}`.
 */
export interface Route {
  readonly method: Method;
  readonly pattern: string;
  readonly kind: string;
  /** The stream for SUBSCRIBE, the command for all others. */
  readonly target: string;
  readonly id: IdSource;
  /** HTTP status of a REST command that succeeded. */
  readonly status: number;
  /** A stream that any signed-in client may SEND to and that wildcards show. */
  readonly plain: boolean;
  /** The field by which a refusal names the actor's id, such as `roomId`; null where it has none. */
  readonly subject: string | null;
  /** A command whose body and headers go on as they came. */
  readonly passesOn: boolean;
  /** SUBSCRIBE: not a stream, but a command whose answer is the one MESSAGE. */
  readonly isAnswer: boolean;
  /** SUBSCRIBE: who reads too slowly is left out and caught up later. */
  readonly isConflated: boolean;
  /** SUBSCRIBE: each message goes to one subscriber alone. */
  readonly isQueue: boolean;
  /** Largest body over REST. */
  readonly bodyBytesMax: number;
  /** REST: JSON lines are taken too. */
  readonly takesLines: boolean;
}

/** Messages that a subscriber of a queue may hold unacknowledged, unless it says otherwise. */
export const prefetchDefault = 100;

/** The largest body of a request, unless its route says otherwise. */
export const restBodyBytesMax = 1024 * 1024;

/**
 * A user's name as one segment of a destination: the slash has another form there, and so has what that form
 * begins with, or the user `a%2Fb` would be taken for `a/b`.
 */
export function toSegment(user: string): string {
  return user.replaceAll('%', '%25').replaceAll('/', '%2F');
}

/** The user whom a segment names; a percent sign that is no escape stands for itself. */
export function fromSegment(segment: string): string {
  return segment.replaceAll(/%(?:2F|25)/g, (escape) => (escape === '%2F' ? '/' : '%'));
}

/** `room/42`: the name of an actor, the same on every thread and every node. */
export function actorKey(kind: string, id: string): string {
  return `${kind}/${id}`;
}

export function parseActorKey(key: string): { kind: string; id: string } {
  const slash = key.indexOf('/');
  return { kind: key.slice(0, slash), id: key.slice(slash + 1) };
}
