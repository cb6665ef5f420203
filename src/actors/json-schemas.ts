// Shapes of bodies, parameters and answers as JSON schemas, for the description of the REST interface. A schema that
// was given an id with `.meta({ id })` stands once among the components and is referred to.
import { isDeepStrictEqual } from 'node:util';
import { z, type ZodType } from 'zod';

/** JSON Schema of the draft 2020-12, as OpenAPI 3.1 takes it. */
export type JsonSchema = Readonly<Record<string, unknown>>;

/** Which side of a schema is meant: what is taken, or what comes out. */
export type Side = 'input' | 'output';

const componentsPath = '#/components/schemas/';
const definitionsPath = '#/$defs/';

/** Takes away what says nothing to a reader, and what would bind a client to the fields of this version. */
function tidy(schema: Record<string, unknown>): void {
  if (schema['format'] === 'date-time') delete schema['pattern'];
  if (schema['minimum'] === Number.MIN_SAFE_INTEGER) delete schema['minimum'];
  if (schema['maximum'] === Number.MAX_SAFE_INTEGER) delete schema['maximum'];
  if (schema['additionalProperties'] === false) delete schema['additionalProperties'];
}

/** The same schema with its references leading to the components of a description. */
function refer(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(refer);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, part]) => {
      const isReference = key === '$ref' && typeof part === 'string' && part.startsWith(definitionsPath);
      return [key, isReference ? `${componentsPath}${part.slice(definitionsPath.length)}` : refer(part)];
    }),
  );
}

export class JsonSchemas {
  readonly #named = new Map<string, JsonSchema>();

  /** The schemas that others refer to, by their ids. */
  get named(): Readonly<Record<string, JsonSchema>> {
    const sorted = [...this.#named].toSorted(([one], [other]) => (one < other ? -1 : 1));
    return Object.fromEntries(sorted);
  }

  /** @throws RangeError when two schemas have the same id. */
  of(type: ZodType, side: Side): JsonSchema {
    const made = z.toJSONSchema(type, {
      io: side,
      unrepresentable: 'any',
      override: ({ jsonSchema }) => tidy(jsonSchema as Record<string, unknown>),
    });
    const { $schema: _dialect, $defs: definitions = {}, ...schema } = refer(made) as Record<string, unknown>;
    for (const [id, definition] of Object.entries(definitions as Record<string, JsonSchema>)) {
      const known = this.#named.get(id);
      if (known && !isDeepStrictEqual(known, definition)) {
        throw new RangeError(`two schemas have the id ${id}`);
      }
      this.#named.set(id, definition);
    }
    return schema;
  }
}
