// Schemas as people read them: the type of a field in a few words, its bounds, and an example.
import { resolve, type Schema } from './description.ts';

/** `text`, `list of Room`, `whole number or null`. */
export function typeText(schema: Schema): string {
  if (schema.$ref !== undefined) return schema.$ref.slice(schema.$ref.lastIndexOf('/') + 1);
  const alternatives =
    schema.anyOf ?? (Array.isArray(schema.type) ? schema.type.map((type) => ({ ...schema, type })) : null);
  if (alternatives) return alternatives.map((one: Schema) => typeText(one)).join(' or ');
  if (schema.enum) return schema.enum.map((value) => JSON.stringify(value)).join(' or ');
  switch (schema.type) {
    case 'array':
      return `list of ${typeText(schema.items ?? {})}`;
    case 'string':
      return schema['format'] === 'date-time' ? 'time' : 'text';
    case 'integer':
      return 'whole number';
    case 'boolean':
      return 'true or false';
    case undefined:
      return 'anything';
    default:
      return String(schema.type);
  }
}

type Bound = number | undefined;

/** `1 to 255 characters`, `at least 1`, `default 50`. */
export function boundsText(schema: Schema): string {
  const between = (low: Bound, high: Bound, unit: string): string | null => {
    if (low === undefined && high === undefined) return null;
    if (low === 1 && high === undefined && unit !== '') return 'not empty';
    if (low === undefined) return `at most ${high}${unit}`;
    if (high === undefined) return `at least ${low}${unit}`;
    return low === high ? `${low}${unit}` : `${low} to ${high}${unit}`;
  };
  const parts = [
    between(schema.minLength, schema.maxLength, ' characters'),
    between(schema.minimum, schema.maximum, ''),
    between(schema.minItems, schema.maxItems, ' entries'),
    schema['default'] === undefined ? null : `default ${JSON.stringify(schema['default'])}`,
    typeof schema['pattern'] === 'string' ? `matches ${schema['pattern']}` : null,
  ];
  return parts.filter((part) => part !== null).join(', ');
}

function exampleText(schema: Schema): string {
  if (schema['format'] === 'date-time') return '2030-01-31T12:00:00.000Z';
  return 'text'.slice(0, schema.maxLength ?? 4);
}

/** A value of that shape, with every field. */
export function exampleOf(root: object, given: Schema, depth = 0): unknown {
  const schema = resolve(root, given);
  if (schema['default'] !== undefined) return schema['default'];
  if (schema['examples'] !== undefined) return (schema['examples'] as readonly unknown[])[0];
  if (schema.enum) return schema.enum[0];
  if (schema.anyOf) return exampleOf(root, schema.anyOf[0] ?? {}, depth + 1);
  switch (Array.isArray(schema.type) ? schema.type[0] : schema.type) {
    case 'object':
      if (depth > 6) return {};
      return Object.fromEntries(
        Object.entries(schema.properties ?? {}).map(([name, part]) => [
          name,
          exampleOf(root, part, depth + 1),
        ]),
      );
    case 'array':
      return depth > 6 ? [] : [exampleOf(root, schema.items ?? {}, depth + 1)];
    case 'string':
      return exampleText(schema);
    case 'integer':
    case 'number':
      return schema.minimum ?? 1;
    case 'boolean':
      return false;
    default:
      return null;
  }
}
