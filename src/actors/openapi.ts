// The description of the REST interface: an OpenAPI 3.1 document, read off the doors of the kinds and the very schemas
// that check what comes in.
import { httpStatus, type ErrorCode } from '../errors.ts';
import type { AnyKind, Command } from './actor.ts';
import { JsonSchemas, type JsonSchema } from './json-schemas.ts';
import {
  idempotencyKey,
  refusal,
  refusalAnswer,
  sharedComponents,
  type Answer,
  type Description,
  type Operation,
  type Parameter,
  type PathItem,
  type Reference,
} from './openapi-parts.ts';
import { restBodyBytesMax } from './route.ts';

/** A REST door of a command. */
export interface RestDoor {
  readonly kind: string;
  readonly target: string;
  readonly method: string;
  /** `/api/rooms/{id}` */
  readonly path: string;
  readonly command: Command<never>;
}

const restDoor = /^(GET|POST|PUT|PATCH|DELETE) (\S+)$/;
const withBody = new Set(['POST', 'PUT', 'PATCH']);
const text: JsonSchema = { type: 'string', minLength: 1 };

/** @returns every door of the kinds that is asked over REST, in their order. */
export function restDoorsOf(kinds: readonly AnyKind[]): RestDoor[] {
  return kinds.flatMap((kind) =>
    Object.entries(kind.commands).flatMap(([target, command]) =>
      command.routes.flatMap((door): RestDoor[] => {
        const [, method, pattern] = restDoor.exec(door) ?? [];
        if (method === undefined || pattern === undefined) return [];
        const path = pattern.replaceAll(/\{(\w+):\*\*\}/g, '{$1}');
        return [{ kind: kind.name, target, method, path, command }];
      }),
    ),
  );
}

/**
 * @param own paths that the server answers itself, without an actor.
 * @throws RangeError when two doors are the same, or two schemas have the same id.
 */
export function describeRest(
  kinds: readonly AnyKind[],
  options: { readonly version: string; readonly own: Readonly<Record<string, PathItem>> },
): Description {
  const schemas = new JsonSchemas();
  const paths: Record<string, Record<string, Operation>> = {};
  const ids = new Set<string>();
  for (const door of restDoorsOf(kinds)) {
    const item = (paths[door.path] ??= {});
    const method = door.method.toLowerCase();
    if (item[method]) throw new RangeError(`${door.method} ${door.path} has two doors`);
    const operation = operationOf(door, schemas);
    // A command may have several doors, and each needs a name of its own.
    const operationId = ids.has(operation.operationId)
      ? `${operation.operationId}${ids.size}`
      : operation.operationId;
    ids.add(operationId);
    item[method] = { ...operation, operationId };
  }
  const all = { ...paths, ...options.own };
  const tags = new Set(
    Object.values(all).flatMap((item) => Object.values(item).flatMap((operation) => operation.tags)),
  );
  return {
    openapi: '3.1.0',
    info: {
      title: 'Stagewire',
      version: options.version,
      description:
        'The REST interface of a Stagewire server. Times are ISO-8601 in UTC with milliseconds; prices and ' +
        'quantities of money are decimal texts; lists are plain JSON arrays.',
    },
    servers: [{ url: '/', description: 'This server' }],
    tags: [...tags].map((name) => ({ name })),
    security: [{ bearer: [] }],
    paths: all,
    components: { ...sharedComponents(), schemas: { ...schemas.named, Refusal: refusal } },
  };
}

function operationOf(door: RestDoor, schemas: JsonSchemas): Operation {
  const { kind, target, path, command } = door;
  const parameters = parametersOf(door, schemas);
  const body = requestBodyOf(door, schemas);
  return {
    operationId: `${kind}${capital(target)}`,
    tags: [/^\/api\/([^/]+)/.exec(path)?.[1] ?? kind],
    summary: command.about ?? `${kind} ${target}`,
    ...descriptionOf(command),
    ...(command.roles ? { 'x-roles': command.roles } : {}),
    ...(parameters.length > 0 ? { parameters } : {}),
    ...(body ? { requestBody: body } : {}),
    responses: { ...successOf(command, schemas), ...refusalsOf(door, parameters) },
  };
}

function descriptionOf({ roles, bodyBytesMax, takesLines }: Command<never>): { description?: string } {
  const sentences = [
    roles && `Needs the role ${roles.map((role) => `\`${role}\``).join(' or ')}.`,
    bodyBytesMax &&
      bodyBytesMax !== restBodyBytesMax &&
      `A body has at most ${bodyBytesMax / (1024 * 1024)} MiB.`,
    takesLines === true &&
      'As JSON lines (`application/x-ndjson`) a body is taken while it comes; at the first bad line it ends with 400 ' +
        'and `{line, applied}`.',
  ].filter((sentence) => typeof sentence === 'string');
  return sentences.length > 0 ? { description: sentences.join(' ') } : {};
}

function parametersOf({ kind, method, path, command }: RestDoor, schemas: JsonSchemas) {
  const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name = '']): Parameter => {
    const description = name === 'id' ? `The id of the ${kind}.` : undefined;
    return { name, in: 'path', required: true, ...(description ? { description } : {}), schema: text };
  });
  const each = /^each:(.+)$/.exec(command.id ?? '')?.[1];
  const list: Parameter[] =
    each === undefined
      ? []
      : [
          {
            name: each,
            in: 'query',
            required: true,
            description: 'Separated by commas.',
            schema: { type: 'array', items: text, minItems: 1 },
            style: 'form',
            explode: false,
          },
        ];
  const shape = Object.entries(command.parameters?.shape ?? {}).filter(([name]) => name !== each);
  const inQuery = shape.map(([name, type]): Parameter => {
    const { description, ...schema } = schemas.of(type, 'input');
    const required = !type.safeParse(undefined).success;
    const said = typeof description === 'string' ? { description } : {};
    return { name, in: 'query', required, ...said, schema };
  });
  return [...inPath, ...list, ...inQuery, ...(withBody.has(method) ? [idempotencyKey] : [])];
}

function requestBodyOf({ method, command }: RestDoor, schemas: JsonSchemas): Operation['requestBody'] {
  const type = command.decode.schema;
  if (!type || !withBody.has(method)) return undefined;
  const lines = { schema: { type: 'string', description: 'One JSON value a line.' } };
  const content = {
    'application/json': { schema: schemas.of(type, 'input') },
    ...(command.takesLines === true ? { 'application/x-ndjson': lines } : {}),
  };
  return { required: true, content };
}

function successOf(command: Command<never>, schemas: JsonSchemas): Readonly<Record<string, Answer>> {
  const status = command.status ?? 200;
  if (status === 204) return { '204': { description: 'Done.' } };
  const description = status === 201 ? 'Made.' : 'Done.';
  const one = command.answer ? schemas.of(command.answer, 'output') : {};
  // What several actors are asked comes back as one list of their answers.
  const schema = command.id?.startsWith('each:') === true ? { type: 'array', items: one } : one;
  return { [status]: { description, content: { 'application/json': { schema } } } };
}

/** The refusals that can happen: none is left out, and what can be told from the door alone to be impossible is. */
function refusalsOf({ method, path, command }: RestDoor, parameters: readonly (Parameter | Reference)[]) {
  const takesBody = withBody.has(method);
  const names = path.includes('{');
  const codes: readonly (ErrorCode | false)[] = [
    (takesBody || parameters.length > 0) && 'BAD_REQUEST',
    'UNAUTHORIZED',
    (names || command.roles !== undefined) && 'FORBIDDEN',
    names && 'NOT_FOUND',
    takesBody && 'CONFLICT',
    takesBody && 'TOO_LARGE',
    'INTERNAL',
    'UNAVAILABLE',
  ];
  const possible = codes.filter((code) => code !== false);
  return Object.fromEntries(possible.map((code) => [httpStatus[code], refusalAnswer(code)]));
}

function capital(word: string): string {
  return `${word.charAt(0).toUpperCase()}${word.slice(1)}`;
}
