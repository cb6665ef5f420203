// What an edge answers by itself and to everybody: whether it lives and is ready, what it measures, the description of
// the REST interface and the page that shows it.
import type { Edge } from './edge.ts';
import { jsonResponse, type RestResponse } from './rest-response.ts';
import type { RestRequest } from './rest.ts';

/** A file of the page at `/docs`. */
export interface PageFile {
  /** Path under which it is served, such as `/docs/docs.css`. */
  readonly path: string;
  readonly contentType: string;
  readonly body: Uint8Array;
}

export interface OpenDoorsOptions {
  /** The description of the REST interface, as JSON. */
  readonly description: string;
  readonly page: readonly PageFile[];
  /** What is measured, in the text format of Prometheus. */
  readonly metrics: () => string;
  /** Whether the database could not be used lately. */
  readonly databaseFails: () => boolean;
  /** Whether Redis could not; null where there is none. */
  readonly redisIsAway: (() => boolean) | null;
}

const prometheusText = 'text/plain; version=0.0.4; charset=utf-8';
/** The page loads nothing from elsewhere and talks to nobody else, whatever might get into it. */
const pageHeaders = {
  'content-security-policy': [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "connect-src 'self'",
    'img-src data:',
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; '),
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
};

function textResponse(body: Uint8Array, headers: Readonly<Record<string, string>>): RestResponse {
  return { status: 200, body, headers };
}

/** Without Redis the server serves all the same, so its being away does not count. */
function readiness(edge: Edge, { databaseFails, redisIsAway }: OpenDoorsOptions): RestResponse {
  if (edge.draining) return jsonResponse(503, { status: 'draining' });
  if (!edge.ready) return jsonResponse(503, { status: 'starting' });
  if (databaseFails()) return jsonResponse(503, { status: 'database unavailable' });
  if (!redisIsAway) return jsonResponse(200, { status: 'ready' });
  return jsonResponse(200, { status: 'ready', redis: redisIsAway() ? 'away' : 'ready' });
}

export class OpenDoors {
  readonly #answers: ReadonlyMap<string, (edge: Edge) => RestResponse>;

  constructor(options: OpenDoorsOptions) {
    const { description, page, metrics } = options;
    const json = Buffer.from(description);
    this.#answers = new Map<string, (edge: Edge) => RestResponse>([
      // Whoever opens the address that the server printed.
      ['/', () => ({ status: 302, body: null, headers: { location: '/docs' } })],
      ['/healthz', () => jsonResponse(200, { status: 'alive' })],
      ['/readyz', (edge) => readiness(edge, options)],
      ['/metrics', () => textResponse(Buffer.from(metrics()), { 'content-type': prometheusText })],
      ['/openapi.json', () => textResponse(json, { 'content-type': 'application/json' })],
      ...page.map(({ path, contentType, body }): [string, () => RestResponse] => [
        path,
        () => textResponse(body, { 'content-type': contentType, ...pageHeaders }),
      ]),
    ]);
  }

  /** The answer to what needs neither a token nor an actor; null for everything else. */
  answer(edge: Edge, { method, path }: RestRequest): RestResponse | null {
    const answer = this.#answers.get(path);
    if (!answer || method === 'OPTIONS') return null;
    if (method === 'GET') return answer(edge);
    const refused = jsonResponse(405, { code: 'BAD_REQUEST', message: 'Use GET.' });
    return { ...refused, headers: { allow: 'GET' } };
  }
}

const said = (description: string, mediaType: string, schema: Readonly<Record<string, unknown>>) => ({
  description,
  content: { [mediaType]: { schema } },
});

const status = (meaning: string, values: readonly string[], more: Readonly<Record<string, unknown>> = {}) =>
  said(meaning, 'application/json', {
    type: 'object',
    properties: { status: { type: 'string', enum: values }, ...more },
    required: ['status'],
  });

/** It stands there only where a Redis is configured. */
const redisState = { redis: { type: 'string', enum: ['ready', 'away'] } };

function open(
  operationId: string,
  summary: string,
  responses: Readonly<Record<string, ReturnType<typeof said>>>,
) {
  return { get: { operationId, tags: ['server'], summary, responses, security: [] } };
}

/** The same for the description of the REST interface. */
export const openPaths = {
  '/healthz': open('healthz', 'Whether the process lives.', { 200: status('It does.', ['alive']) }),
  '/readyz': open('readyz', 'Whether the server is ready to serve.', {
    200: status('It is.', ['ready'], redisState),
    503: status('It is not.', ['starting', 'draining', 'database unavailable']),
  }),
  '/metrics': open('metrics', 'What the server measures, in the text format of Prometheus.', {
    200: said('Done.', 'text/plain', { type: 'string' }),
  }),
  '/openapi.json': open('openapi', 'This description.', {
    200: said('Done.', 'application/json', { type: 'object' }),
  }),
};
