// The description of the REST interface, beside what the server does.
import { Validator } from '@seriousme/openapi-schema-validator';
import { beforeAll, describe, expect, test } from 'vitest';
import { Description } from '../support/description.ts';
import { exampleOf } from '../../src/console/schema-text.ts';
import { walkOf, type Step } from '../support/rest-walk.ts';
import { startServer, type TestServer } from '../support/server.ts';

let server: TestServer;
let description: Description;

beforeAll(async () => {
  server = await startServer({ settings: { edges: '1', shards: '2' } });
  description = await Description.of(server);
});

const withToken = (): ReturnType<() => Description['operations']> =>
  description.operations.filter(({ operation }) => !('security' in operation));

describe('/openapi.json', () => {
  test('[API1] is served to everybody, as JSON that nobody may cache', async () => {
    const { status, headers, body } = await server.rest('GET', '/openapi.json');
    expect(status).toBe(200);
    expect(headers.get('content-type')).toBe('application/json');
    expect(headers.get('cache-control')).toBe('no-store');
    expect(body).toMatchObject({ openapi: '3.1.0', info: { title: 'Stagewire' } });
    expect(await new Validator().validate(structuredClone(body) as Record<string, unknown>)).toMatchObject({
      valid: true,
    });
  });

  test('[API2] names only doors that are there, and each needs a token unless it says otherwise', async () => {
    for (const { method, path, operation } of description.operations) {
      const filled = path.replaceAll(/\{\w+\}/g, 'x');
      const { status } = await server.rest(method, filled, method === 'GET' ? {} : { body: '{}' });
      const expected = 'security' in operation ? 200 : 401;
      expect({ door: `${method} ${path}`, status }).toEqual({ door: `${method} ${path}`, status: expected });
    }
  });

  test('[API3] answers are what the description says, field by field', async () => {
    const { steps } = await walkOf(server);
    const problems: string[] = [];
    for (const { door, path, user = 'alice', roles = [], headers = {}, body, status = 200 } of steps) {
      const [method = '', pattern = ''] = door.split(' ');
      const answer = await server.rest(method, path ?? pattern, { user, roles, headers, body });
      if (answer.status !== status) problems.push(`${door}: ${answer.status} ${JSON.stringify(answer.body)}`);
      problems.push(...description.problems(door, answer.status, answer.body));
    }
    expect(problems).toEqual([]);
    const walked = new Set(steps.map(({ door }: Step) => door));
    const doors = withToken().map(({ method, path }) => `${method} ${path}`);
    expect(doors.filter((door) => !walked.has(door))).toEqual([]);
  });

  test('[API3] the answers of open doors are what the description says', async () => {
    for (const path of ['/healthz', '/readyz', '/openapi.json']) {
      const { status, body } = await server.rest('GET', path);
      expect(description.problems(`GET ${path}`, status, body)).toEqual([]);
    }
  });

  test('[API4] what can be refused at any door is described there', async () => {
    const problems: string[] = [];
    for (const { method, path } of withToken()) {
      const door = `${method} ${path}`;
      const filled = path.replaceAll(/\{\w+\}/g, 'nowhere');
      const bodies =
        method === 'GET' || method === 'DELETE' ? [undefined] : ['{', '[7]', 'x'.repeat(1024 * 1024 + 1)];
      for (const body of bodies) {
        for (const user of [undefined, 'mallory']) {
          const asked = { ...(user === undefined ? {} : { user }), ...(body === undefined ? {} : { body }) };
          const answer = await server.rest(method, filled, asked);
          problems.push(...description.problems(door, answer.status, answer.body));
        }
      }
    }
    expect(problems).toEqual([]);
  });

  test('[API5] what the page offers as an example of a body is taken', async () => {
    const refused: unknown[] = [];
    for (const { method, path, operation } of withToken()) {
      const body = operation['requestBody'] as { content: Record<string, { schema: object }> } | undefined;
      const schema = body?.content['application/json']?.schema;
      if (!schema) continue;
      const asked = { user: 'alice', roles: ['service'], body: exampleOf(description.document, schema) };
      const answer = await server.rest(method, path.replaceAll(/\{\w+\}/g, 'nowhere'), asked);
      if (answer.status === 400) refused.push([method, path, asked.body, answer.body]);
    }
    expect(refused).toEqual([]);
  });

  test('[API4] a check that sees nothing would be worth nothing', () => {
    const room = {
      roomId: 'a',
      name: 'a',
      createdBy: 'a',
      isPrivate: false,
      createdAt: '2030-01-31T12:00:00.000Z',
    };
    expect(description.problems('POST /api/rooms', 201, room)).toEqual([]);
    const { name: _name, ...nameless } = room;
    const wrong = [
      nameless,
      { ...room, colour: 'red' },
      { ...room, createdAt: 'today' },
      { ...room, isPrivate: 0 },
    ];
    for (const body of wrong) expect(description.problems('POST /api/rooms', 201, body)).toHaveLength(1);
    expect(description.problems('POST /api/rooms', 418, room)).toHaveLength(1);
    expect(description.problems('POST /api/rooms', 400, { code: 'NEW', message: 'a' })).toHaveLength(1);
  });
});
