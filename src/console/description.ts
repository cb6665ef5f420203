// What the page reads of an OpenAPI document, and how it finds its way in it.

export type Schema = { readonly [Key in string]?: unknown } & {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly items?: Schema;
  readonly anyOf?: readonly Schema[];
  readonly enum?: readonly unknown[];
  readonly description?: string;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
};

export interface Parameter {
  readonly name: string;
  readonly in: 'path' | 'query' | 'header';
  readonly required: boolean;
  readonly description?: string;
  readonly schema: Schema;
}

export interface Content {
  readonly [mediaType: string]: { readonly schema: Schema } | undefined;
}

export interface Answer {
  readonly description: string;
  readonly content?: Content;
}

interface Reference {
  readonly $ref: string;
}

export interface Operation {
  readonly operationId: string;
  readonly tags: readonly string[];
  readonly summary: string;
  readonly description?: string;
  readonly parameters?: readonly (Parameter | Reference)[];
  readonly requestBody?: { readonly content: Content };
  readonly responses: Readonly<Record<string, Answer | Reference>>;
  readonly security?: readonly object[];
  /** Who asks must have one of these. */
  readonly 'x-roles'?: readonly string[];
}

export interface Description {
  readonly info: { readonly version: string; readonly description: string };
  readonly tags: readonly { readonly name: string }[];
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
}

/** An operation with its place. */
export interface Entry {
  readonly method: string;
  readonly path: string;
  readonly operation: Operation;
}

/** What a reference leads to; anything else is given back as it is. @throws Error when it leads nowhere. */
export function resolve<Value extends object>(root: object, value: Value | Reference): Value {
  if (!('$ref' in value) || typeof value.$ref !== 'string') return value as Value;
  let found: unknown = root;
  for (const step of value.$ref.split('/').slice(1)) {
    found = (found as Readonly<Record<string, unknown>> | undefined)?.[step];
  }
  if (typeof found !== 'object' || found === null) throw new Error(`${value.$ref} leads nowhere`);
  return found as Value;
}

/** The operations of each group, in the order of the document. */
export function groupsOf(description: Description): ReadonlyMap<string, readonly Entry[]> {
  const groups = new Map<string, Entry[]>(description.tags.map(({ name }) => [name, []]));
  for (const [path, item] of Object.entries(description.paths)) {
    for (const [method, operation] of Object.entries(item)) {
      const group = operation.tags[0] ?? 'others';
      const entries = groups.get(group) ?? [];
      entries.push({ method: method.toUpperCase(), path, operation });
      groups.set(group, entries);
    }
  }
  return groups;
}
