// Where the messages of a destination come from.
import { actorKey, toSegment, type Route } from '../actors/route.ts';
import { Refusal } from '../errors.ts';
import { compilePattern, isPattern } from './destination-pattern.ts';
import type { Edge } from './edge.ts';
import type { Session } from './session.ts';
import type { Source, SourceType } from './subscription.ts';

const errorsDestination = '/user/queue/errors';

/** The source of an answer, which comes once. */
export function answerSource(shown: string): Source {
  return { type: 'answer', destination: shown, shown, actor: '', stream: '', params: null };
}

/** @throws Refusal NOT_FOUND when nothing serves the destination, BAD_REQUEST for a pattern that is none. */
export function sourceOf(edge: Edge, session: Session, shown: string): Source {
  if (shown === errorsDestination) {
    return { type: 'errors', destination: shown, shown, actor: '', stream: '', params: null };
  }
  // A query string holds a question mark too.
  if (isPattern(shown) && !shown.startsWith('/app/')) {
    if (shown.startsWith('/queue/')) {
      throw new Refusal('BAD_REQUEST', `A queue is subscribed by its name: ${shown}.`);
    }
    if (!shown.startsWith('/topic/')) {
      throw new Refusal('NOT_FOUND', `Wildcards are for plain topics: ${shown}.`);
    }
    compilePattern(shown);
    return { type: 'wildcard', destination: shown, shown, actor: '', stream: '', params: null };
  }
  // Whatever follows /user is the subscriber's own, so no client can listen to another's.
  const destination = shown.startsWith('/user/')
    ? `/user/${toSegment(session.user)}/${shown.slice('/user/'.length)}`
    : shown;
  const found = edge.routes.find('SUBSCRIBE', destination);
  if (!found || found.route.isAnswer) throw new Refusal('NOT_FOUND', `Nothing serves ${shown}.`);
  const { kind, target: stream } = found.route;
  const type = typeOf(found.route);
  return { type, destination, shown, actor: actorKey(kind, found.id ?? ''), stream, params: found.params };
}

function typeOf({ isQueue, isConflated }: Route): SourceType {
  if (isQueue) return 'queue';
  return isConflated ? 'conflated' : 'stream';
}
