// REST: a request becomes a command, its answer a response. Pure of HTTP: the server hands in what it read.
import { restBodyBytesMax, type Method } from '../actors/route.ts';
import { Refusal } from '../errors.ts';
import { ask, prepare, type Asked } from './asking.ts';
import type { Identity } from './auth.ts';
import { bearerToken } from './bearer.ts';
import type { Edge } from './edge.ts';
import type { BodyReader, HttpSide } from './http-side.ts';
import { checkIdempotencyKey } from './idempotency-key.ts';
import { Ingest } from './ingest.ts';
import { jsonResponse, refusalResponse, type RestResponse } from './rest-response.ts';
import type { Found } from './route-table.ts';

export interface RestRequest {
  readonly method: string;
  readonly path: string;
  readonly query: string;
  readonly authorization: string | undefined;
  readonly idempotencyKey: string | undefined;
  readonly contentType: string;
  /** Bytes of the body as announced; null when they are not. */
  readonly contentLength: number | null;
}

const noBody = new Uint8Array(0);
/** How much of a body that is too large is read before its connection is cut. */
const letGoBytesMax = 16 * 1024 * 1024;
const restMethods: ReadonlySet<string> = new Set(['GET', 'POST', 'PUT', 'PATCH', 'DELETE']);
const lineTypes: ReadonlySet<string> = new Set([
  'application/x-ndjson',
  'application/ndjson',
  'application/jsonl',
]);

/** Takes the request's body to where it belongs. */
export function receive(edge: Edge, request: RestRequest, http: HttpSide): BodyReader {
  const { method, path, contentType, contentLength } = request;
  const found = restMethods.has(method) ? edge.routes.find(method as Method, path) : null;
  const bodyBytesMax = found?.route.bodyBytesMax ?? restBodyBytesMax;
  const type = contentType.split(';', 1)[0]?.trim().toLowerCase() ?? '';
  // Of a stream whose length is not known only what waits is bounded, and one that is known to be too long has none
  // of it applied.
  const isStream =
    found?.route.takesLines === true && lineTypes.has(type) && (contentLength ?? 0) <= bodyBytesMax;
  if (found && isStream)
    return new Ingest(edge, http, askedBy(edge, request, found, noBody).catch(refusalOf));
  return new WholeBody(bodyBytesMax, http, (body) => {
    void answer(edge, request, found, body).then((response) => http.reply(response));
  });
}

/** A body that is read whole before anything is done about it. */
class WholeBody implements BodyReader {
  readonly #bytesMax: number;
  readonly #http: HttpSide;
  readonly #whole: (body: Uint8Array) => void;
  #pieces: Uint8Array[] = [];
  #bytes = 0;

  constructor(bytesMax: number, http: HttpSide, whole: (body: Uint8Array) => void) {
    this.#bytesMax = bytesMax;
    this.#http = http;
    this.#whole = whole;
  }

  push(chunk: Uint8Array, isLast: boolean): void {
    this.#bytes += chunk.length;
    if (this.#bytes > this.#bytesMax) return this.#refuse(isLast);
    this.#pieces.push(new Uint8Array(chunk));
    if (isLast) this.#whole(Buffer.concat(this.#pieces.splice(0)));
  }

  /** A client that is cut off while it sends may never see the answer, so what it sends is let go by, up to a point. */
  #refuse(isLast: boolean): void {
    this.abort();
    const isTooMuch = this.#bytes > this.#bytesMax + letGoBytesMax;
    if (!isLast && !isTooMuch) return;
    const refusal = new Refusal('TOO_LARGE', `A body has at most ${this.#bytesMax} bytes.`);
    this.#http.reply(refusalResponse(refusal), !isLast);
  }

  abort(): void {
    this.#pieces = [];
  }
}

/** Never rejects. */
async function answer(
  edge: Edge,
  request: RestRequest,
  found: Found | null,
  body: Uint8Array,
): Promise<RestResponse> {
  if (!found) return noDoor(edge, request.path);
  try {
    const asked = await askedBy(edge, request, found, body);
    return await new Promise((resolve) => {
      ask(edge, asked, {
        answered: (value) => resolve({ status: found.route.status, body: value }),
        refused: (refusal) => resolve(refusalResponse(refusal)),
      });
    });
  } catch (thrown) {
    return refusalResponse(refusalOf(thrown));
  }
}

/** @throws Refusal for what can be told without the actor. */
async function askedBy(edge: Edge, request: RestRequest, found: Found, body: Uint8Array): Promise<Asked> {
  const { query, idempotencyKey: key = null } = request;
  const { user, roles } = await identify(edge, request);
  checkIdempotencyKey(key, 'Idempotency-Key');
  return prepare({ found, asker: [user, roles], query, key, body });
}

function refusalOf(thrown: unknown): Refusal {
  return thrown instanceof Refusal ? thrown : new Refusal('INTERNAL', 'The server could not do this.');
}

function noDoor(edge: Edge, path: string): RestResponse {
  const allowed = edge.routes.methodsOf(path);
  if (allowed.length === 0) return refusalResponse(new Refusal('NOT_FOUND', `There is nothing at ${path}.`));
  const response = jsonResponse(405, { code: 'BAD_REQUEST', message: `Use ${allowed.join(' or ')}.` });
  return { ...response, headers: { allow: allowed.join(', ') } };
}

/** @throws Refusal when nobody may ask, or not now. */
async function identify(edge: Edge, { authorization }: RestRequest): Promise<Identity> {
  const token = bearerToken(authorization);
  if (token === null) throw new Refusal('UNAUTHORIZED', 'An Authorization: Bearer header is needed.');
  const identity = await edge.authenticator.verify(token).catch((thrown: unknown) => {
    throw thrown instanceof Refusal ? thrown : new Refusal('UNAVAILABLE', 'The token could not be checked.');
  });
  if (edge.draining) throw new Refusal('UNAVAILABLE', 'The server drains.');
  return identity;
}
