// Shows a schema as a table of fields with an example beside it.
import { resolve, type Content, type Schema } from './description.ts';
import { element, prose } from './elements.ts';
import { boundsText, exampleOf, typeText } from './schema-text.ts';

const depthMax = 4;

interface Row {
  readonly head: HTMLElement;
  readonly type: string;
  readonly notes: string;
}

function rowsOf(root: object, given: Schema, prefix: string, depth: number): Row[] {
  const schema = resolve(root, given);
  const [shown] = schema.anyOf ?? [];
  if (shown) return rowsOf(root, shown, prefix, depth);
  if (schema.type === 'array' && schema.items) return rowsOf(root, schema.items, `${prefix}[]`, depth);
  return Object.entries(schema.properties ?? {}).flatMap(([name, part]) => {
    const field = resolve(root, part);
    const path = prefix === '' ? name : `${prefix}.${name}`;
    const required = schema.required?.includes(name) === true;
    const notes = [boundsText(field), field.description ?? ''].filter((note) => note !== '').join('. ');
    const mark = required ? [] : [' ', element('span', { class: 'optional' }, 'optional')];
    const head = element('th', { scope: 'row' }, element('code', {}, path), ...mark);
    const row = { head, type: typeText(part), notes };
    return depth < depthMax ? [row, ...rowsOf(root, field, path, depth + 1)] : [row];
  });
}

/** The fields of a schema as a table; for one without fields its type in a line. */
export function schemaTable(root: object, schema: Schema, caption: string): HTMLElement {
  const rows = rowsOf(root, schema, '', 0);
  if (rows.length === 0) {
    const bounds = boundsText(schema);
    return element('p', {}, `${typeText(schema)}${bounds === '' ? '' : `: ${bounds}`}`);
  }
  const hasNotes = rows.some(({ notes }) => notes !== '');
  const titles = ['Field', 'Type', ...(hasNotes ? ['Notes'] : [])];
  const heads = titles.map((title) => element('th', { scope: 'col' }, title));
  const lines = rows.map(({ head, type, notes }) =>
    element(
      'tr',
      {},
      head,
      element('td', {}, type),
      ...(hasNotes ? [element('td', {}, ...prose(notes))] : []),
    ),
  );
  return element(
    'div',
    { class: 'scroll', tabindex: '0', role: 'group', 'aria-label': caption },
    element(
      'table',
      {},
      element('caption', {}, `${caption}: ${typeText(schema)}`),
      element('thead', {}, element('tr', {}, ...heads)),
      element('tbody', {}, ...lines),
    ),
  );
}

/** An example of what has this media type; lines are written as the JSON of their list's entries. */
export function exampleText(root: object, mediaType: string, schema: Schema): string {
  if (mediaType.includes('ndjson')) {
    const example = exampleOf(root, schema);
    const entries: readonly unknown[] = Array.isArray(example) ? example : [example];
    return entries.map((entry) => `${JSON.stringify(entry)}\n`).join('');
  }
  if (!mediaType.includes('json')) return String(exampleOf(root, schema));
  return JSON.stringify(exampleOf(root, schema), null, 2);
}

/** The first media type of a content and its schema. */
export function firstOf(content: Content | undefined): readonly [string, Schema] | null {
  const [mediaType, media] = Object.entries(content ?? {})[0] ?? [];
  return mediaType === undefined || !media ? null : [mediaType, media.schema];
}
