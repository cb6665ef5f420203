// A request as the form of an operation describes it: sent, or written down for curl.

export interface Filled {
  readonly method: string;
  /** With its placeholders. */
  readonly path: string;
  readonly values: readonly { readonly in: string; readonly name: string; readonly value: string }[];
  readonly body: { readonly mediaType: string; readonly text: string } | null;
  readonly token: string;
}

/** @param base where the server's paths begin, with a slash at its end. */
function urlOf({ path, values }: Filled, base: string): string {
  let filled = path.slice(1);
  const query = new URLSearchParams();
  for (const { in: place, name, value } of values) {
    if (place === 'path') filled = filled.replace(`{${name}}`, encodeURIComponent(value));
    else if (place === 'query' && value !== '') query.append(name, value);
  }
  const asked = query.toString();
  return `${new URL(filled, base).href}${asked === '' ? '' : `?${asked}`}`;
}

function headersOf({ values, body, token }: Filled): Record<string, string> {
  const own = values.filter(({ in: place, value }) => place === 'header' && value !== '');
  return {
    ...(token === '' ? {} : { authorization: `Bearer ${token}` }),
    ...(body ? { 'content-type': body.mediaType } : {}),
    ...Object.fromEntries(own.map(({ name, value }) => [name.toLowerCase(), value])),
  };
}

/** The same request for a shell; the token is left to a variable. */
export function curlOf(filled: Filled, base: string): string {
  const quoted = (text: string): string => `'${text.replaceAll("'", String.raw`'\''`)}'`;
  const headers = Object.entries(headersOf(filled)).map(([name, value]) =>
    name === 'authorization' ? '-H "Authorization: Bearer $TOKEN"' : `-H ${quoted(`${name}: ${value}`)}`,
  );
  const method = filled.method === 'GET' ? [] : [`-X ${filled.method}`];
  const data = filled.body ? [`--data-binary ${quoted(filled.body.text)}`] : [];
  return ['curl -sS', ...method, quoted(urlOf(filled, base)), ...headers, ...data].join(' \\\n  ');
}

export interface Answered {
  /** `201 Created`; empty when nothing came back. */
  readonly status: string;
  readonly ok: boolean;
  readonly tookMs: number;
  readonly text: string;
}

/** Never rejects: what goes wrong is the text. */
export async function send(filled: Filled, base: string): Promise<Answered> {
  const startedMs = performance.now();
  const took = (): number => Math.round(performance.now() - startedMs);
  try {
    const response = await fetch(urlOf(filled, base), {
      method: filled.method,
      headers: headersOf(filled),
      ...(filled.body ? { body: filled.body.text } : {}),
      cache: 'no-store',
    });
    const text = await response.text();
    const status = `${response.status} ${response.statusText}`.trim();
    return { status, ok: response.ok, tookMs: took(), text: pretty(text) };
  } catch (error) {
    return { status: '', ok: false, tookMs: took(), text: `Nothing came back: ${String(error)}` };
  }
}

function pretty(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}
