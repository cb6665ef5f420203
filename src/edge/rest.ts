// REST: a request becomes a command, its answer a response. Pure of HTTP: the server hands in what it read.
import type { Method } from '../actors/route.ts';
import { httpStatus, Refusal, type ErrorCode } from '../errors.ts';
import { newId } from '../lib/random.ts';
import { ToShard, type Params } from '../link/messages.ts';
import type { Identity } from './auth.ts';
import { bearerToken } from './connect.ts';
import type { Edge } from './edge.ts';
import { actorOf } from './route-table.ts';

export interface RestRequest {
  readonly method: string;
  readonly path: string;
  readonly query: string;
  readonly authorization: string | undefined;
}

export interface RestResponse {
  readonly status: number;
  readonly body: Uint8Array | null;
  readonly headers?: Readonly<Record<string, string>>;
}

const restMethods: ReadonlySet<string> = new Set(['GET', 'POST', 'PUT', 'PATCH', 'DELETE']);

/** The largest body a request may have. */
export const restBodyBytesMax = 1024 * 1024;

export function refusalResponse(refusal: Refusal): RestResponse {
  const { code, message, detail } = refusal;
  return jsonResponse(httpStatus[code], { code, message, ...detail });
}

function jsonResponse(status: number, value: object): RestResponse {
  return { status, body: Buffer.from(JSON.stringify(value)) };
}

function problem(code: ErrorCode, message: string): RestResponse {
  return refusalResponse(new Refusal(code, message));
}

/** Answers what needs neither a token nor an actor; null for everything else. */
export function probe(edge: Edge, { method, path }: RestRequest): RestResponse | null {
  if (method !== 'GET') return null;
  if (path === '/healthz') return jsonResponse(200, { status: 'alive' });
  if (path !== '/readyz') return null;
  return edge.ready
    ? jsonResponse(200, { status: 'ready' })
    : jsonResponse(503, { status: edge.draining ? 'draining' : 'starting' });
}

/** Never rejects. */
export async function answer(edge: Edge, request: RestRequest, body: Uint8Array): Promise<RestResponse> {
  const { method, path, query, authorization } = request;
  const found = restMethods.has(method) ? edge.routes.find(method as Method, path) : null;
  if (!found) {
    const allowed = edge.routes.methodsOf(path);
    if (allowed.length === 0) return problem('NOT_FOUND', `There is nothing at ${path}.`);
    const response = jsonResponse(405, { code: 'BAD_REQUEST', message: `Use ${allowed.join(' or ')}.` });
    return { ...response, headers: { allow: allowed.join(', ') } };
  }
  let identity: Identity;
  try {
    const token = bearerToken(authorization);
    if (token === null) return problem('UNAUTHORIZED', 'An Authorization: Bearer header is needed.');
    identity = await edge.authenticator.verify(token);
  } catch (thrown) {
    if (thrown instanceof Refusal) return refusalResponse(thrown);
    return problem('UNAVAILABLE', 'The token could not be checked.');
  }
  if (edge.draining) return problem('UNAVAILABLE', 'The server drains.');
  const params: Params = { ...Object.fromEntries(new URLSearchParams(query)), ...found.params };
  const actor = actorOf(found, identity.user, newId);
  const asker = [identity.user, identity.roles] as const;
  const fields = [actor, found.route.target, asker, params, null, null, body, false] as const;
  return new Promise((resolve) => {
    edge.portOf(actor).request(
      { op: ToShard.command, fields },
      {
        answered: (value) => resolve({ status: found.route.status, body: value }),
        refused: (refusal) => resolve(refusalResponse(refusal)),
      },
    );
  });
}
