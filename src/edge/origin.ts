// Which web pages may connect. Browsers send Origin and pages can't forge it; other clients may send anything
// or nothing, so this keeps foreign pages out, not people: those need a token.

/**
 * Whether a request with this `Origin` header may go on.
 *
 * - No header: allowed, it doesn't come from a page.
 * - The same host and port as the `Host` header: allowed. A missing port is the scheme's own. Schemes are not
 *   compared, because behind a proxy that ends TLS the server doesn't know its own.
 * - Listed: allowed. An entry is an origin (`https://app.example.org`), an origin with `*` for one or more
 *   labels of the host or for the port (`https://*.example.org`, `http://localhost:*`), or `*` for all.
 * - Anything else, and what isn't an origin at all: not allowed.
 */
export function originAllowed(origin: string | undefined, host: string, allowed: readonly string[]): boolean {
  if (origin === undefined) return true;
  if (origin === 'null') return allowed.includes('*');
  const page = parseOrigin(origin);
  if (page === null || page.host.includes('*') || page.port === '*') return false;
  if (page.scheme === 'http' || page.scheme === 'https') {
    const server = parseOrigin(`${page.scheme}://${host}`);
    if (server !== null && server.host === page.host && server.port === page.port) return true;
  }
  return allowed.some((entry) => entry === '*' || entryAllows(entry, page));
}

interface Origin {
  readonly scheme: string;
  readonly host: string;
  readonly port: string;
}

const defaultPorts: Readonly<Record<string, string>> = { http: '80', https: '443' };

function parseOrigin(text: string): Origin | null {
  if (text.length > 512) return null;
  const match = /^([a-z][a-z0-9+.-]*):\/\/(\[[0-9a-f:.]+\]|[a-z0-9._*-]+)(?::(\d{1,5}|\*))?$/.exec(
    text.toLowerCase(),
  );
  const [, scheme, host, port] = match ?? [];
  if (scheme === undefined || host === undefined) return null;
  return { scheme, host, port: port ?? defaultPorts[scheme] ?? '' };
}

function entryAllows(entry: string, page: Origin): boolean {
  const listed = parseOrigin(entry);
  if (listed === null || listed.scheme !== page.scheme) return false;
  if (listed.port !== '*' && listed.port !== page.port) return false;
  const [head = '', ...rest] = listed.host.split('*');
  const tail = rest.join('*');
  if (rest.length === 0) return head === page.host;
  // A second star would have to be searched for; nobody needs one, so such an entry allows nothing.
  if (rest.length > 1) return false;
  return (
    page.host.length > head.length + tail.length && page.host.startsWith(head) && page.host.endsWith(tail)
  );
}
