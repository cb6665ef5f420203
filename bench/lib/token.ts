// HS256 tokens, made by the load and checked by the peers, so that no target gets its sign-in for free.
import { createHmac, timingSafeEqual } from 'node:crypto';

const header = Buffer.from(JSON.stringify({ alg: 'HS256', typ: 'JWT' })).toString('base64url');

function signatureOf(text: string, secret: string): Buffer {
  return createHmac('sha256', secret).update(text).digest();
}

const lifetimeSeconds = 86_400;

/** A token for `user`, good for a day from `nowSeconds` (seconds since 1970). */
export function signToken(
  user: string,
  secret: string,
  nowSeconds: number,
  roles: readonly string[] = [],
): string {
  const claims = { sub: user, roles, iat: nowSeconds, exp: nowSeconds + lifetimeSeconds };
  const signed = `${header}.${Buffer.from(JSON.stringify(claims)).toString('base64url')}`;
  return `${signed}.${signatureOf(signed, secret).toString('base64url')}`;
}

/** The user a token names, or undefined when its signature is wrong or it has expired. */
export function verifyToken(token: string, secret: string, nowSeconds: number): string | undefined {
  const end = token.lastIndexOf('.');
  const signature = Buffer.from(token.slice(end + 1), 'base64url');
  const expected = signatureOf(token.slice(0, end), secret);
  if (end < 0 || signature.length !== expected.length || !timingSafeEqual(signature, expected)) {
    return undefined;
  }
  const body = Buffer.from(token.split('.')[1] ?? '', 'base64url').toString();
  const claims = JSON.parse(body) as { sub: string; exp: number };
  return claims.exp > nowSeconds ? claims.sub : undefined;
}
