// The description of the REST interface as a measure: whether an answer is what it says.
import { Ajv2020 } from 'ajv/dist/2020.js';
import formats from 'ajv-formats';
import type { TestServer } from './server.ts';

type Json = Readonly<Record<string, unknown>>;

export interface DescribedOperation {
  readonly method: string;
  readonly path: string;
  readonly operation: Json;
}

/** Objects have no fields but those described: a field that is told to nobody is a mistake too. */
function closed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(closed);
  if (typeof value !== 'object' || value === null) return value;
  const copy = Object.fromEntries(Object.entries(value).map(([name, part]) => [name, closed(part)]));
  const isOpen = copy['type'] === 'object' && 'properties' in copy && !('additionalProperties' in copy);
  return isOpen ? { ...copy, additionalProperties: false } : copy;
}

const pointer = (step: string): string =>
  encodeURIComponent(step.replaceAll('~', '~0').replaceAll('/', '~1'));

export class Description {
  readonly document: Json;
  readonly #checks: InstanceType<typeof Ajv2020>;

  constructor(document: Json) {
    this.document = document;
    this.#checks = new Ajv2020({ strict: false, allErrors: true, validateSchema: false });
    formats.default(this.#checks);
    this.#checks.addSchema(closed(document) as Json, 'description');
  }

  static async of(server: TestServer): Promise<Description> {
    return new Description((await server.rest('GET', '/openapi.json')).body as Json);
  }

  get operations(): DescribedOperation[] {
    return Object.entries(this.document['paths'] as Readonly<Record<string, Json>>).flatMap(([path, item]) =>
      Object.entries(item).map(([method, operation]) => ({
        method: method.toUpperCase(),
        path,
        operation: operation as Json,
      })),
    );
  }

  /**
   * What is wrong with an answer, in words; nothing when it is as described.
   *
   * @param door `POST /api/rooms/{id}/members`
   */
  problems(door: string, status: number, body: unknown): string[] {
    const [method = '', path = ''] = door.split(' ');
    const found = this.operations.find((one) => one.method === method && one.path === path);
    const answers = found?.operation['responses'] as Readonly<Record<string, Json>> | undefined;
    const answer = answers?.[status];
    if (!answer) return [`${door} says nothing of ${status}`];
    const shared = typeof answer['$ref'] === 'string' ? answer['$ref'] : null;
    const place = shared ?? `#/paths/${pointer(path)}/${method.toLowerCase()}/responses/${status}`;
    if (!shared && !('content' in answer)) return body === null ? [] : [`${door} ${status} has a body`];
    const schema = { $ref: `description${place}/content/${pointer('application/json')}/schema` };
    const check = this.#checks.compile(schema);
    if (check(body)) return [];
    return (check.errors ?? []).map(
      ({ instancePath, message, params }) =>
        `${door} ${status}: ${instancePath} ${message ?? ''} ${JSON.stringify(params)}`,
    );
  }
}
