// Shows one operation: what it takes, what it answers, and a form to try it.
import { resolve, type Description, type Entry, type Parameter } from './description.ts';
import { element, prose } from './elements.ts';
import { curlOf, send, type Answered, type Filled } from './request.ts';
import { exampleText, firstOf, schemaTable } from './schema-view.ts';
import { boundsText, typeText } from './schema-text.ts';

export interface OperationOptions {
  readonly root: Description;
  readonly entry: Entry;
  /** Where the server's paths begin, with a slash at its end. */
  readonly base: string;
  readonly token: () => string;
}

interface Field {
  readonly parameter: Parameter;
  readonly input: HTMLInputElement;
}

function fieldOf(parameter: Parameter, id: string): readonly [Field, HTMLElement] {
  const { name, required, schema } = parameter;
  const facts = [`In the ${parameter.in}`, typeText(schema), boundsText(schema)];
  const hint = [facts.filter((part) => part !== '').join(', '), parameter.description ?? ''];
  const input = element('input', {
    id,
    type: 'text',
    spellcheck: 'false',
    autocomplete: 'off',
    required,
    'aria-describedby': `${id}-hint`,
  });
  const label = element('label', { for: id }, element('code', {}, name), required ? ' (needed)' : '');
  const row = element(
    'div',
    { class: 'field' },
    label,
    input,
    element(
      'p',
      { class: 'hint', id: `${id}-hint` },
      ...prose(hint.filter((part) => part !== '').join('. ')),
    ),
  );
  return [{ parameter, input }, row];
}

interface BodyField {
  readonly mediaType: HTMLSelectElement;
  readonly text: HTMLTextAreaElement;
  readonly rows: readonly HTMLElement[];
}

function bodyOf({ root, entry }: OperationOptions): BodyField | null {
  const content = entry.operation.requestBody?.content;
  const first = firstOf(content);
  if (!content || !first) return null;
  const id = `${entry.operation.operationId}-body`;
  const exampleOf = (type: string): string => exampleText(root, type, first[1]);
  let example = exampleOf(first[0]);
  const mediaType = element(
    'select',
    { id: `${id}-type` },
    ...Object.keys(content).map((type) => element('option', {}, type)),
  );
  const lines = Math.min(16, example.split('\n').length + 1);
  const text = element('textarea', { id, rows: String(lines), spellcheck: 'false' });
  text.value = example;
  mediaType.addEventListener('change', () => {
    // What somebody has written stays.
    if (text.value !== example) return;
    example = exampleOf(mediaType.value);
    text.value = example;
  });
  const rows = [
    element('div', { class: 'field' }, element('label', { for: `${id}-type` }, 'Media type'), mediaType),
    element('div', { class: 'field' }, element('label', { for: id }, 'Body'), text),
  ];
  return { mediaType, text, rows };
}

function answersOf({ root, entry }: OperationOptions): HTMLElement {
  const items = Object.entries(entry.operation.responses).map(([status, given]) => {
    const answer = resolve(root, given);
    const first = firstOf(answer.content);
    const isGood = status.startsWith('2');
    const title = [
      element('span', { class: isGood ? 'status good' : 'status bad' }, status),
      ' ',
      ...prose(answer.description),
    ];
    if (!first) return element('div', { class: 'answer' }, element('p', {}, ...title));
    const [mediaType, schema] = first;
    return element(
      'details',
      { class: 'answer', open: isGood },
      element('summary', {}, ...title),
      ...(mediaType.includes('json')
        ? [
            schemaTable(root, schema, `Answer ${status}`),
            element(
              'pre',
              { tabindex: '0', 'aria-label': `Example of answer ${status}` },
              exampleText(root, ...first),
            ),
          ]
        : [element('p', {}, mediaType)]),
    );
  });
  return element('div', {}, element('h3', {}, 'Answers'), ...items);
}

function show(output: HTMLElement, { status, ok, tookMs, text }: Answered): void {
  const line = element(
    'p',
    {},
    element('span', { class: ok ? 'status good' : 'status bad' }, status === '' ? 'failed' : status),
    ` in ${tookMs} ms`,
  );
  const body = text === '' ? [element('p', {}, 'No body.')] : [element('pre', { tabindex: '0' }, text)];
  output.replaceChildren(line, ...body);
}

function formOf(options: OperationOptions): HTMLElement {
  const { root, entry, base, token } = options;
  const { method, path, operation } = entry;
  const id = operation.operationId;
  const parameters = (operation.parameters ?? []).map((one) => resolve<Parameter>(root, one));
  const fields = parameters.map((one, index) => fieldOf(one, `${id}-${index}`));
  const body = bodyOf(options);
  const curl = element('pre', { class: 'curl', tabindex: '0', 'aria-label': 'The request for curl' });
  const output = element('div', { class: 'output', role: 'status' });
  const button = element('button', { type: 'submit' }, 'Send');
  const needsToken = operation.security?.length !== 0;

  const filled = (): Filled => ({
    method,
    path,
    values: fields.map(([{ parameter, input }]) => ({
      in: parameter.in,
      name: parameter.name,
      value: input.value,
    })),
    body: body ? { mediaType: body.mediaType.value, text: body.text.value } : null,
    token: needsToken ? token() : '',
  });
  const refresh = (): void => {
    curl.textContent = curlOf({ ...filled(), token: needsToken ? '$TOKEN' : '' }, base);
  };
  const form = element(
    'form',
    { class: 'try', 'aria-label': `Try ${method} ${path}` },
    element('h3', {}, 'Try it'),
    ...fields.map(([, row]) => row),
    ...(body?.rows ?? []),
    element('div', { class: 'send' }, button),
    element('details', { class: 'answer' }, element('summary', {}, 'As a curl command'), curl),
    output,
  );
  form.addEventListener('input', refresh);
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    button.disabled = true;
    void send(filled(), base).then((answered) => {
      button.disabled = false;
      show(output, answered);
    });
  });
  refresh();
  return form;
}

/** The insides are made when they are first looked at. */
export function operationView(options: OperationOptions): HTMLDetailsElement {
  const { root, entry } = options;
  const { method, path, operation } = entry;
  const roles = (operation['x-roles'] ?? []).flatMap((role) => [
    ' ',
    element('span', { class: 'role' }, role),
  ]);
  const view = element(
    'details',
    { class: 'operation', id: operation.operationId },
    element(
      'summary',
      {},
      element('span', { class: `method ${method.toLowerCase()}` }, method),
      element('code', { class: 'path' }, path),
      element('span', { class: 'summary' }, ...prose(operation.summary), ...roles),
    ),
  );
  view.addEventListener('toggle', () => {
    if (!view.open || view.childElementCount > 1) return;
    const first = firstOf(operation.requestBody?.content);
    const open = operation.security?.length === 0 ? [element('p', {}, 'Needs no token.')] : [];
    view.append(
      element(
        'div',
        { class: 'inside' },
        ...(operation.description === undefined
          ? []
          : [element('p', { class: 'description' }, ...prose(operation.description))]),
        ...open,
        ...(first ? [element('h3', {}, 'Body'), schemaTable(root, first[1], 'Body')] : []),
        formOf(options),
        answersOf(options),
      ),
    );
  });
  return view;
}
