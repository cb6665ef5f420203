// Who a client is: JSON Web Tokens in, identities out. Each algorithm has its own source of keys (HS256 the
// shared secret, RS256 and ES256 the key set), so a public key can never be used as a secret.
// Part by part: the whole package takes three times as long to load, in every process and edge.
import * as errors from 'jose/errors';
import { createRemoteJWKSet } from 'jose/jwks/remote';
import { SignJWT } from 'jose/jwt/sign';
import { jwtVerify } from 'jose/jwt/verify';
import type { CryptoKey, JWTPayload, JWTVerifyGetKey, JWTVerifyOptions } from 'jose';
import { Refusal } from '../errors.ts';
import type { Clock } from '../lib/clock.ts';

export interface Identity {
  /** The token's `sub`: 1 to 36 characters. */
  readonly user: string;
  readonly roles: readonly string[];
  /** When the token ends, in milliseconds since 1970; null when it never does. */
  readonly expiresAtMs: number | null;
}

/** At least one of `secret` and `jwksUrl` is needed; with both, tokens of both kinds are good. */
export interface AuthenticatorOptions {
  readonly clock: Clock;
  /** Accepts HS256 tokens signed with it. */
  readonly secret?: string | undefined;
  /** Accepts RS256 and ES256 tokens signed with a key of this JSON Web Key Set. */
  readonly jwksUrl?: string | undefined;
  /** When set, a token must name it as `iss`. */
  readonly issuer?: string | undefined;
  /** When set, a token must name it in `aud`. */
  readonly audience?: string | undefined;
  /** How far the clocks of those who sign may be from ours. Default 0. */
  readonly clockToleranceMs?: number | undefined;
  /** A key that isn't in the set has it fetched again, at most this often. Default 30,000. */
  readonly jwksCooldownMs?: number | undefined;
}

const tokenCharactersMax = 8_192;
const userCharactersMax = 36;
const rolesMax = 32;
const roleCharactersMax = 64;
/** Far enough for any date, and still a date. */
const timeMsMax = 8.64e15;

export class Authenticator {
  readonly #clock: Clock;
  readonly #secretKey: Promise<CryptoKey> | null;
  readonly #keySet: JWTVerifyGetKey | null;
  readonly #options: JWTVerifyOptions;

  /** @throws Error when there is neither a secret nor a key set. */
  constructor(options: AuthenticatorOptions) {
    const { secret = '', jwksUrl, issuer, audience } = options;
    if (secret === '' && jwksUrl === undefined) throw new Error('a secret or the URL of a key set is needed');
    this.#clock = options.clock;
    this.#secretKey = secret === '' ? null : importSecret(secret);
    this.#keySet =
      jwksUrl === undefined
        ? null
        : createRemoteJWKSet(new URL(jwksUrl), { cooldownDuration: options.jwksCooldownMs ?? 30_000 });
    this.#options = {
      algorithms: [...(secret === '' ? [] : ['HS256']), ...(jwksUrl === undefined ? [] : ['RS256', 'ES256'])],
      clockTolerance: (options.clockToleranceMs ?? 0) / 1_000,
      ...(issuer === undefined ? {} : { issuer }),
      ...(audience === undefined ? {} : { audience }),
    };
  }

  /**
   * The identity a token stands for.
   *
   * @throws Refusal UNAUTHORIZED with what is wrong with the token, or UNAVAILABLE when the key set can't be
   * fetched.
   */
  async verify(token: string): Promise<Identity> {
    if (token.length > tokenCharactersMax) {
      throw new Refusal('UNAUTHORIZED', `The token has more than ${tokenCharactersMax} characters`);
    }
    let payload: JWTPayload;
    try {
      payload = await this.#payload(token);
    } catch (error) {
      throw this.#refusal(error);
    }
    return identityOf(payload);
  }

  async #payload(token: string): Promise<JWTPayload> {
    const options = { ...this.#options, currentDate: new Date(this.#clock.now()) };
    const keyOf: JWTVerifyGetKey = async (header, jws) => {
      const key = header.alg === 'HS256' ? await this.#secretKey : await this.#keySet?.(header, jws);
      if (key === null || key === undefined) throw new errors.JOSEAlgNotAllowed();
      return key;
    };
    try {
      return (await jwtVerify(token, keyOf, options)).payload;
    } catch (error) {
      if (!(error instanceof errors.JWKSMultipleMatchingKeys)) throw error;
      // A token that doesn't name its key, while the set holds an old and a new one.
      for await (const key of error) {
        try {
          return (await jwtVerify(token, key, options)).payload;
        } catch (wrongKey) {
          if (!(wrongKey instanceof errors.JWSSignatureVerificationFailed)) throw wrongKey;
        }
      }
      throw new errors.JWSSignatureVerificationFailed();
    }
  }

  #refusal(error: unknown): Refusal {
    if (error instanceof errors.JWTExpired) return new Refusal('UNAUTHORIZED', 'The token has expired');
    if (error instanceof errors.JWTClaimValidationFailed) {
      const early = error.claim === 'nbf' && error.reason === 'check_failed';
      const what = early ? 'is not valid yet' : `has no "${error.claim}" that is accepted here`;
      return new Refusal('UNAUTHORIZED', `The token ${what}`);
    }
    if (error instanceof errors.JWSSignatureVerificationFailed) {
      return new Refusal('UNAUTHORIZED', 'The signature of the token is wrong');
    }
    if (error instanceof errors.JOSEAlgNotAllowed || error instanceof errors.JOSENotSupported) {
      const accepted = this.#options.algorithms?.join(', ');
      return new Refusal(
        'UNAUTHORIZED',
        `The token is not signed with an algorithm accepted here: ${accepted}`,
      );
    }
    if (error instanceof errors.JWKSNoMatchingKey) {
      return new Refusal('UNAUTHORIZED', 'The token is signed with a key that is not known here');
    }
    if (error instanceof errors.JWSInvalid || error instanceof errors.JWTInvalid) {
      return new Refusal('UNAUTHORIZED', 'The token is not a JSON Web Token');
    }
    // What is left concerns the key set: away, slow, or no key set at all. The token may well be good.
    return new Refusal('UNAVAILABLE', 'The keys for checking tokens can not be fetched at the moment');
  }
}

/**
 * A token for `user` that an Authenticator with the same secret takes, for at least `expiresInMs` from
 * `nowMs` on and less than a second longer.
 *
 * @throws Refusal UNAUTHORIZED when no Authenticator would take it: a user or roles that are not allowed.
 */
export async function signToken(
  secret: string,
  claims: { readonly user: string; readonly roles: readonly string[]; readonly expiresInMs: number },
  nowMs: number,
): Promise<string> {
  const payload = {
    sub: claims.user,
    roles: [...claims.roles],
    iat: Math.floor(nowMs / 1_000),
    exp: Math.ceil((nowMs + claims.expiresInMs) / 1_000),
  };
  identityOf(payload);
  return new SignJWT(payload)
    .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
    .sign(await importSecret(secret));
}

/**
 * As a CryptoKey a secret is prepared once; as bytes it would be prepared for every token, at twice the
 * price.
 */
function importSecret(secret: string): Promise<CryptoKey> {
  const algorithm = { name: 'HMAC', hash: 'SHA-256' };
  return crypto.subtle.importKey('raw', new TextEncoder().encode(secret), algorithm, false, [
    'sign',
    'verify',
  ]);
}

function identityOf(payload: JWTPayload): Identity {
  const { sub: user, roles = [], exp } = payload;
  if (typeof user !== 'string' || user === '')
    throw new Refusal('UNAUTHORIZED', 'The token names no user in "sub"');
  // A lone surrogate has no UTF-8: two such users would be one in the database.
  if (user.length > userCharactersMax || /[\p{Cc}\p{Cs}]/u.test(user)) {
    const allowed = `1 to ${userCharactersMax} characters, none of them a control character`;
    throw new Refusal('UNAUTHORIZED', `The "sub" of a token must be ${allowed}`);
  }
  if (!isRoles(roles)) {
    const allowed = `at most ${rolesMax} texts of at most ${roleCharactersMax} characters`;
    throw new Refusal('UNAUTHORIZED', `The "roles" of a token must be a list of ${allowed}`);
  }
  return { user, roles, expiresAtMs: exp === undefined ? null : Math.min(exp * 1_000, timeMsMax) };
}

function isRoles(value: unknown): value is string[] {
  if (!Array.isArray(value) || value.length > rolesMax) return false;
  return value.every((role) => typeof role === 'string' && role.length <= roleCharactersMax);
}
