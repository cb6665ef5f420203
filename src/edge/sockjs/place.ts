// What lies where below the base of an endpoint.
import { isTransport, type TransportName } from './transport.ts';

export type Place =
  | { readonly kind: 'greeting' | 'info' | 'iframe' | 'raw' }
  | { readonly kind: 'session'; readonly session: string; readonly transport: TransportName };

const idCharactersMax = 255;

/** @param path what follows the base. @returns null where there is nothing. */
export function placeOf(path: string): Place | null {
  if (path === '' || path === '/') return { kind: 'greeting' };
  if (path === '/info') return { kind: 'info' };
  if (path === '/websocket') return { kind: 'raw' };
  if (/^\/iframe[-0-9.a-z_]*\.html$/.test(path)) return { kind: 'iframe' };
  const [root, server = '', session = '', transport = '', ...more] = path.split('/');
  if (root !== '' || more.length > 0 || !isId(server) || !isId(session)) return null;
  return isTransport(transport) ? { kind: 'session', session, transport } : null;
}

function isId(text: string): boolean {
  return text !== '' && text.length <= idCharactersMax && !/[.;]/.test(text);
}
