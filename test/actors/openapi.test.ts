// The description of the REST interface, as it is made of the kinds.
import { Validator } from '@seriousme/openapi-schema-validator';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { command, defineActor, type AnyKind } from '../../src/actors/actor.ts';
import { json, nothing } from '../../src/actors/body.ts';
import { kinds } from '../../src/actors/kinds.ts';
import { describeRest, restDoorsOf } from '../../src/actors/openapi.ts';
import { openPaths } from '../../src/edge/open-doors.ts';

const options = { version: '1.2.3', own: openPaths };

interface Operation {
  readonly summary: string;
  readonly description?: string;
  readonly parameters?: readonly object[];
  readonly requestBody?: object;
  readonly responses: Readonly<Record<string, object>>;
}

function kindWith(commands: AnyKind['commands'], name = 'thing'): AnyKind {
  return defineActor({ name, load: () => ({}), start: () => null, streams: {}, commands });
}

function operation(kind: AnyKind, path: string, method: string): Operation {
  const found = describeRest([kind], options).paths[path]?.[method];
  if (!found) throw new Error(`${method} ${path} is not described`);
  return found;
}

/** What a reader of the description would miss of each door. */
function lacking(all: readonly AnyKind[]): string[] {
  return restDoorsOf(all).flatMap(({ kind, target, method, path, command: { about, answer, status } }) => [
    ...(about === undefined ? [`${kind}.${target} (${method} ${path}) has no about`] : []),
    ...(answer === undefined && status !== 204
      ? [`${kind}.${target} (${method} ${path}) has no answer`]
      : []),
  ]);
}

const rename = command({
  routes: ['PUT /api/things/{id}/names/{lang:**}'],
  roles: ['service', 'editor'],
  about: 'Renames a thing.',
  answer: z.object({ name: z.string() }).meta({ id: 'Name' }),
  parameters: z.object({ silent: z.enum(['true', 'false']).optional(), by: z.string().describe('Who.') }),
  bodyBytesMax: 8 * 1024 * 1024,
  takesLines: true,
  decode: json(z.array(z.object({ name: z.string().max(9), shout: z.boolean().default(false) }))),
  receive: () => undefined,
});

describe('the description', () => {
  test('[API1] is valid OpenAPI 3.1', async () => {
    const result = await new Validator().validate(
      JSON.parse(JSON.stringify(describeRest(kinds, options))) as Record<string, unknown>,
    );
    expect(result.errors ?? []).toEqual([]);
    expect(result.valid).toBe(true);
  });

  test('[API2] says of every REST door of every kind what it does and what it answers', () => {
    expect(lacking(kinds)).toEqual([]);
    const silent = command({ routes: ['GET /api/things'], decode: nothing, receive: () => undefined });
    expect(lacking([kindWith({ silent })])).toEqual([
      'thing.silent (GET /api/things) has no about',
      'thing.silent (GET /api/things) has no answer',
    ]);
  });

  test('[API2] holds parameters, body, role, answer and the refusals that can happen', () => {
    const { parameters, ...rest } = operation(kindWith({ rename }), '/api/things/{id}/names/{lang}', 'put');
    const text = { type: 'string', minLength: 1 };
    expect(parameters).toEqual([
      { name: 'id', in: 'path', required: true, description: 'The id of the thing.', schema: text },
      { name: 'lang', in: 'path', required: true, schema: text },
      { name: 'silent', in: 'query', required: false, schema: { type: 'string', enum: ['true', 'false'] } },
      { name: 'by', in: 'query', required: true, description: 'Who.', schema: { type: 'string' } },
      { $ref: '#/components/parameters/IdempotencyKey' },
    ]);
    expect(rest).toMatchObject({
      operationId: 'thingRename',
      tags: ['things'],
      summary: 'Renames a thing.',
      'x-roles': ['service', 'editor'],
      requestBody: {
        required: true,
        content: {
          'application/json': {
            schema: {
              type: 'array',
              items: {
                type: 'object',
                properties: {
                  name: { type: 'string', maxLength: 9 },
                  shout: { type: 'boolean', default: false },
                },
                required: ['name'],
              },
            },
          },
          'application/x-ndjson': { schema: { type: 'string' } },
        },
      },
      responses: {
        200: { content: { 'application/json': { schema: { $ref: '#/components/schemas/Name' } } } },
      },
    });
    expect(rest.description).toMatch(/role `service` or `editor`.*8 MiB/);
    expect(Object.keys(rest.responses)).toEqual([
      '200',
      '400',
      '401',
      '403',
      '404',
      '409',
      '413',
      '500',
      '503',
    ]);
  });

  test('[API2] a door that asks several actors takes a list and answers a list', () => {
    const each = command({
      routes: ['GET /api/things'],
      id: 'each:names',
      answer: z.object({ at: z.iso.datetime() }),
      decode: nothing,
      receive: () => undefined,
    });
    expect(operation(kindWith({ each }), '/api/things', 'get')).toMatchObject({
      parameters: [{ name: 'names', in: 'query', required: true, schema: { type: 'array' }, explode: false }],
      responses: {
        200: {
          content: {
            'application/json': {
              schema: {
                type: 'array',
                items: { properties: { at: { type: 'string', format: 'date-time' } } },
              },
            },
          },
        },
      },
    });
  });

  test('two doors of one path and method, and two schemas of one id, are refused', () => {
    const twice = [kindWith({ rename }), kindWith({ rename }, 'other')];
    expect(() => describeRest(twice, options)).toThrow(/has two doors/);
    const answer = z.object({ other: z.int() }).meta({ id: 'Name' });
    const get = command({ routes: ['GET /api/others'], answer, decode: nothing, receive: () => undefined });
    expect(() => describeRest([kindWith({ rename }), kindWith({ get }, 'other')], options)).toThrow(
      /two schemas have the id Name/,
    );
  });

  test('a command with two REST doors has two names', () => {
    const both = command({
      routes: ['GET /api/a', 'GET /api/b'],
      decode: nothing,
      receive: () => undefined,
    });
    const { paths } = describeRest([kindWith({ both })], options);
    const names = ['/api/a', '/api/b'].map((path) => paths[path]?.['get']?.operationId);
    expect(new Set(names).size).toBe(2);
  });
});
