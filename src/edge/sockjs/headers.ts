// Headers that many responses share.
import type { ResponseHeaders, SockjsRequest } from './exchange.ts';

const yearSeconds = 31_536_000;
const sessionCookie = 'JSESSIONID';
/** Says no more than that there is a session, for balancers that look for one. */
export const plainCookie = 'dummy';

export const text: ResponseHeaders = { 'content-type': 'text/plain; charset=UTF-8' };
export const neverCached: ResponseHeaders = {
  'cache-control': 'no-store, no-cache, must-revalidate, max-age=0',
};

export function cachedForAYear(nowMs: number): ResponseHeaders {
  return {
    'cache-control': `public, max-age=${yearSeconds}`,
    expires: new Date(nowMs + yearSeconds * 1_000).toUTCString(),
  };
}

/** Lets the page that asked read the response; whether it may ask was looked at before. */
export function crossOrigin({ origin, headersAsked }: SockjsRequest): ResponseHeaders {
  return {
    // A page without an origin is one among all.
    'access-control-allow-origin': origin === '' || origin === 'null' ? '*' : origin,
    'access-control-allow-credentials': 'true',
    ...(headersAsked === '' ? {} : { 'access-control-allow-headers': headersAsked }),
    vary: 'origin',
  };
}

export function preflight(methods: string, nowMs: number): ResponseHeaders {
  return {
    ...cachedForAYear(nowMs),
    'access-control-allow-methods': methods,
    'access-control-max-age': `${yearSeconds}`,
  };
}

/** The session cookie that a client shows; null for none. */
export function shownCookie({ cookie }: SockjsRequest): string | null {
  return /(?:^|;) *JSESSIONID=([\w.~+/=-]{1,255}) *(?:;|$)/.exec(cookie)?.[1] ?? null;
}

export function cookieHeader(value: string): ResponseHeaders {
  return { 'set-cookie': `${sessionCookie}=${value}; path=/; HttpOnly` };
}
