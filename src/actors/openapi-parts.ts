// The form of an OpenAPI document, as far as ours goes, and the parts that all its operations share.
import { httpStatus, type ErrorCode } from '../errors.ts';
import type { JsonSchema } from './json-schemas.ts';

export interface Parameter {
  readonly name: string;
  readonly in: 'path' | 'query' | 'header';
  readonly required: boolean;
  readonly description?: string;
  readonly schema: JsonSchema;
  readonly style?: string;
  readonly explode?: boolean;
}

interface MediaType {
  readonly schema: JsonSchema;
}

export interface Answer {
  readonly description: string;
  readonly content?: Readonly<Record<string, MediaType>>;
}

export type Reference = Readonly<Record<'$ref', string>>;

export interface Operation {
  readonly operationId: string;
  readonly tags: readonly string[];
  readonly summary: string;
  readonly description?: string;
  readonly parameters?: readonly (Parameter | Reference)[];
  readonly requestBody?: { readonly required: true; readonly content: Readonly<Record<string, MediaType>> };
  readonly responses: Readonly<Record<string, Answer | Reference>>;
  /** Roles of which who asks must have one. */
  readonly 'x-roles'?: readonly string[];
  /** Left out: a bearer token. Empty: none is needed. */
  readonly security?: readonly Readonly<Record<string, readonly string[]>>[];
}

/** By method, in small letters. */
export type PathItem = Readonly<Record<string, Operation>>;

export interface Description {
  readonly openapi: string;
  readonly info: Readonly<Record<string, string>>;
  readonly servers: readonly Readonly<Record<string, string>>[];
  readonly tags: readonly Readonly<Record<string, string>>[];
  readonly security: readonly Readonly<Record<string, readonly string[]>>[];
  readonly paths: Readonly<Record<string, PathItem>>;
  readonly components: Readonly<Record<string, object>>;
}

export const idempotencyKey: Reference = { $ref: '#/components/parameters/IdempotencyKey' };

export function refusalAnswer(code: ErrorCode): Reference {
  return { $ref: `#/components/responses/${code}` };
}

const refusalMeanings: Readonly<Record<ErrorCode, string>> = {
  BAD_REQUEST: 'The request has a wrong shape; the message says where.',
  UNAUTHORIZED: 'There is no token, or it is not good.',
  FORBIDDEN: 'Who asks may not do this.',
  NOT_FOUND: 'There is no such thing.',
  CONFLICT: 'It exists already, or its state does not allow this.',
  RATE_LIMITED: 'Too much was asked; `retryAfterMs` says when to go on.',
  TOO_LARGE: 'The body is too large.',
  UNAVAILABLE: 'The server is overloaded, drains, or can not reach its database; try again later.',
  INTERNAL: 'A fault of the server. Nothing of what was asked has happened.',
};

export const refusal: JsonSchema = {
  type: 'object',
  description: 'Why something was refused, and which thing was meant, such as `roomId`.',
  properties: {
    code: { type: 'string', enum: Object.keys(httpStatus) },
    message: { type: 'string' },
  },
  required: ['code', 'message'],
  additionalProperties: { type: ['string', 'number'] },
};

export function sharedComponents() {
  const content = { 'application/json': { schema: { $ref: '#/components/schemas/Refusal' } } };
  const responses = Object.entries(refusalMeanings)
    .filter(([code]) => code !== 'RATE_LIMITED')
    .map(([code, description]) => [code, { description, content }]);
  const key: Parameter = {
    name: 'Idempotency-Key',
    in: 'header',
    required: false,
    description:
      'A request that is repeated with the same key within 24 hours has no second effect and gets the first answer.',
    schema: { type: 'string', minLength: 1, maxLength: 255 },
  };
  return {
    parameters: { IdempotencyKey: key },
    responses: Object.fromEntries(responses) as Readonly<Record<string, Answer>>,
    securitySchemes: {
      bearer: {
        type: 'http',
        scheme: 'bearer',
        bearerFormat: 'JWT',
        description: 'As `stagewire token --user alice` prints it.',
      },
    },
  };
}
