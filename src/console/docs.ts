// The page at /docs: reads /openapi.json and shows its operations in groups, each with a form to try it.
import { groupsOf, type Description, type Entry } from './description.ts';
import { byId, element, prose } from './elements.ts';
import { operationView } from './operation-view.ts';

/** The server's paths begin where this page lies, also behind a proxy that adds a prefix. */
const base = new URL('.', document.baseURI).href;
const tokenKey = 'stagewire-token';

const tokenInput = byId('token', HTMLInputElement);
const tokenState = byId('token-state', HTMLElement);

/** Whose token it is, read without checking it: the server does that. */
function tokenText(token: string): string {
  if (token === '') return 'From `stagewire token --user alice`; kept in this tab only.';
  try {
    const [, payload = ''] = token.split('.');
    const bytes = Uint8Array.from(atob(payload.replaceAll('-', '+').replaceAll('_', '/')), (one) =>
      one.charCodeAt(0),
    );
    const { sub, exp, roles } = JSON.parse(new TextDecoder().decode(bytes)) as Readonly<
      Record<string, unknown>
    >;
    const has = Array.isArray(roles) && roles.length > 0 ? `, ${roles.join(', ')}` : '';
    const until = typeof exp === 'number' ? new Date(exp * 1_000) : null;
    if (until && until.getTime() < Date.now()) return `Of ${String(sub)}${has}; it has expired.`;
    return `Of ${String(sub)}${has}${until ? `, until ${until.toLocaleString()}` : ''}.`;
  } catch {
    return 'This is no token.';
  }
}

function tokenChanged(): void {
  const token = tokenInput.value.trim();
  sessionStorage.setItem(tokenKey, token);
  tokenState.replaceChildren(...prose(tokenText(token)));
}

function openFromHash(): void {
  const named = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (!(named instanceof HTMLDetailsElement)) return;
  named.open = true;
  named.scrollIntoView();
}

/** Shows the operations and links in which every word is found. */
function filterBy(
  words: readonly string[],
  shown: readonly (readonly [Entry, readonly HTMLElement[]])[],
): void {
  for (const [{ method, path, operation }, elements] of shown) {
    const text = `${method} ${path} ${operation.summary} ${operation.tags.join(' ')}`.toLowerCase();
    const hidden = !words.every((word) => text.includes(word));
    for (const one of elements) one.hidden = hidden;
  }
  for (const group of document.querySelectorAll<HTMLElement>('.group')) {
    group.hidden = group.querySelector('[data-entry]:not([hidden])') === null;
  }
}

function show(root: Description): void {
  byId('about', HTMLElement).replaceChildren(
    `Version ${root.info.version}. `,
    ...prose(root.info.description),
    ' ',
    element('a', { href: 'openapi.json' }, 'openapi.json'),
  );
  const main = byId('operations', HTMLElement);
  const contents = byId('contents', HTMLElement);
  const shown: [Entry, HTMLElement[]][] = [];
  main.replaceChildren();
  for (const [name, entries] of groupsOf(root)) {
    if (entries.length === 0) continue;
    const links = element('ul', { 'aria-label': name });
    const section = element('section', { class: 'group', 'aria-label': name }, element('h2', {}, name));
    for (const entry of entries) {
      const { method, path, operation } = entry;
      const view = operationView({ root, entry, base, token: () => tokenInput.value.trim() });
      view.dataset['entry'] = '';
      const link = element(
        'a',
        { href: `#${operation.operationId}` },
        element('span', { class: `method ${method.toLowerCase()}` }, method),
        path,
      );
      const item = element('li', { 'data-entry': true }, link);
      links.append(item);
      section.append(view);
      shown.push([entry, [item, view]]);
    }
    contents.append(element('div', { class: 'group' }, element('p', {}, name), links));
    main.append(section);
  }
  const filter = byId('filter', HTMLInputElement);
  filter.addEventListener('input', () => {
    filterBy(filter.value.toLowerCase().split(/\s+/).filter(Boolean), shown);
  });
  addEventListener('hashchange', openFromHash);
  openFromHash();
}

async function start(): Promise<void> {
  tokenInput.value = sessionStorage.getItem(tokenKey) ?? '';
  tokenInput.addEventListener('input', tokenChanged);
  byId('token-form', HTMLFormElement).addEventListener('submit', (event) => event.preventDefault());
  tokenChanged();
  const response = await fetch(new URL('openapi.json', base), { cache: 'no-store' });
  if (!response.ok) throw new Error(`the server answered ${response.status}`);
  show((await response.json()) as Description);
}

start().catch((error: unknown) => {
  byId('state', HTMLElement).textContent = `The description could not be loaded: ${String(error)}`;
});
