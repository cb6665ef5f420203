import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import fc from 'fast-check';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import type { JWK, JWTPayload } from 'jose';
import { afterAll, describe, expect, test } from 'vitest';
import { Authenticator, signToken } from '../../src/edge/auth.ts';
import type { AuthenticatorOptions } from '../../src/edge/auth.ts';
import { Refusal } from '../../src/errors.ts';
import type { Clock } from '../../src/lib/clock.ts';

const secret = 'correct horse battery staple, and some more';
const startMs = 1_800_000_000_000;

function clockAt(nowMs: number): Clock {
  const unused = (): never => {
    throw new Error('this clock only tells the time');
  };
  return { now: () => nowMs, after: unused, every: unused };
}

function authenticator(options: Partial<AuthenticatorOptions> = {}, nowMs = startMs): Authenticator {
  return new Authenticator({ clock: clockAt(nowMs), secret, ...options });
}

function sign(payload: JWTPayload, alg = 'HS256', key = secret): Promise<string> {
  return new SignJWT(payload).setProtectedHeader({ alg }).sign(new TextEncoder().encode(key));
}

async function refusalOf(verified: Promise<unknown>): Promise<Refusal> {
  const outcome: unknown = await verified.then(
    (identity) => identity,
    (error: unknown) => error,
  );
  if (!(outcome instanceof Refusal)) throw new Error(`not refused but ${JSON.stringify(outcome)}`);
  expect(outcome.message).not.toContain(secret);
  return outcome;
}

const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');

test('[AUTH1] a token signed with the secret stands for its user, its roles and its end', async () => {
  const token = await signToken(secret, { user: 'alice', roles: ['service'], expiresInMs: 60_000 }, startMs);
  expect(await authenticator().verify(token)).toEqual({
    user: 'alice',
    roles: ['service'],
    expiresAtMs: startMs + 60_000,
  });
});

test('[AUTH1] roles and an end may be missing', async () => {
  const identity = await authenticator().verify(await sign({ sub: 'bob' }));
  expect(identity).toEqual({ user: 'bob', roles: [], expiresAtMs: null });
});

test('[AUTH2] a token is good from its nbf until its exp, give or take the tolerance', async () => {
  const token = await sign({ sub: 'alice', nbf: startMs / 1_000, exp: startMs / 1_000 + 60 });
  await authenticator({}, startMs).verify(token);
  await authenticator({}, startMs + 59_999).verify(token);
  const late = await refusalOf(authenticator({}, startMs + 60_000).verify(token));
  expect([late.code, late.message]).toEqual(['UNAUTHORIZED', 'The token has expired']);
  const early = await refusalOf(authenticator({}, startMs - 1).verify(token));
  expect([early.code, early.message]).toEqual(['UNAUTHORIZED', 'The token is not valid yet']);
  await authenticator({ clockToleranceMs: 5_000 }, startMs + 64_000).verify(token);
  await authenticator({ clockToleranceMs: 5_000 }, startMs - 5_000).verify(token);
  await refusalOf(authenticator({ clockToleranceMs: 5_000 }, startMs + 65_000).verify(token));
});

test('[AUTH2] a token that stays good after any date is not a date that no clock has', async () => {
  const identity = await authenticator().verify(await sign({ sub: 'alice', exp: 1e300 }));
  expect(Number.isNaN(new Date(identity.expiresAtMs ?? 0).getTime())).toBe(false);
});

test('[AUTH3] a token with a wrong secret or any changed character is refused', async () => {
  const other = await refusalOf(authenticator({ secret: 'another' }).verify(await sign({ sub: 'alice' })));
  expect([other.code, other.message]).toEqual(['UNAUTHORIZED', 'The signature of the token is wrong']);

  const token = await sign({ sub: 'alice', roles: ['user'] });
  const [header, , signature] = token.split('.');
  const forged = [header, encode({ sub: 'alice', roles: ['admin'] }), signature].join('.');
  expect((await refusalOf(authenticator().verify(forged))).message).toBe(
    'The signature of the token is wrong',
  );
  await fc.assert(
    fc.asyncProperty(
      fc.nat({ max: token.length - 2 }),
      fc.constantFrom('A', 'z', '.', '=', ' ', 'é'),
      async (at, put) => {
        fc.pre(token[at] !== put);
        const tampered = token.slice(0, at) + put + token.slice(at + 1);
        expect((await refusalOf(authenticator().verify(tampered))).code).toBe('UNAUTHORIZED');
      },
    ),
  );
});

test('[AUTH3] an algorithm that is not accepted is refused, and "none" always is', async () => {
  const [, payload] = (await sign({ sub: 'alice' })).split('.');
  for (const alg of [
    'none',
    'None',
    'HS384',
    'HS512',
    'RS256',
    'ES256',
    'PS256',
    'EdDSA',
    '',
    'constructor',
  ]) {
    for (const signature of ['', 'c2ln']) {
      const refusal = await refusalOf(
        authenticator().verify([encode({ alg }), payload, signature].join('.')),
      );
      expect(refusal.code, alg).toBe('UNAUTHORIZED');
    }
  }
  const stronger = await refusalOf(authenticator().verify(await sign({ sub: 'alice' }, 'HS512')));
  expect(stronger.message).toBe('The token is not signed with an algorithm accepted here: HS256');
});

test('[AUTH4] what is no token is refused as such; more than 8 KiB at once', async () => {
  for (const text of ['', 'x', '..', '...', 'a.b.c', 'Bearer x', '{}', '\u0000', '\ud800.a.b']) {
    expect((await refusalOf(authenticator().verify(text))).message, text).toBe(
      'The token is not a JSON Web Token',
    );
  }
  const huge = await refusalOf(authenticator().verify('x'.repeat(8_193)));
  expect(huge.message).toBe('The token has more than 8192 characters');
  const part = fc.oneof(
    fc.base64String(),
    fc.string(),
    fc.json().map((json) => Buffer.from(json).toString('base64url')),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(part, { maxLength: 5 }), async (parts) => {
      expect((await refusalOf(authenticator().verify(parts.join('.')))).code).toBe('UNAUTHORIZED');
    }),
  );
});

test('[AUTH5] sub is 1 to 36 plain characters, roles a short list of short texts', async () => {
  const good: JWTPayload[] = [
    { sub: 'x'.repeat(36) },
    { sub: 'zoë 😀' },
    { sub: 'a', roles: [] },
    { sub: 'a', roles: Array.from({ length: 32 }, () => 'r'.repeat(64)) },
  ];
  for (const payload of good)
    expect((await authenticator().verify(await sign(payload))).user).toBe(payload.sub);
  const bad: JWTPayload[] = [
    {},
    { sub: '' },
    { sub: 'x'.repeat(37) },
    { sub: 'a\nb' },
    { sub: 'a\u0000' },
    { sub: 'a\u0085' },
    { sub: 'a\ud800' },
    { sub: 7 as unknown as string },
    { sub: ['alice'] as unknown as string },
    { sub: 'a', roles: 'admin' },
    { sub: 'a', roles: null },
    { sub: 'a', roles: [1] },
    { sub: 'a', roles: { length: 1 } },
    { sub: 'a', roles: ['r'.repeat(65)] },
    { sub: 'a', roles: Array.from({ length: 33 }, () => 'r') },
    { sub: 'a', exp: 'soon' as unknown as number },
  ];
  for (const payload of bad) {
    // Signed by hand: the library would not sign some of these.
    const refusal = await refusalOf(authenticator().verify(await signRaw(payload)));
    expect(refusal.code, JSON.stringify(payload)).toBe('UNAUTHORIZED');
  }
});

async function signRaw(payload: unknown): Promise<string> {
  const signed = `${encode({ alg: 'HS256' })}.${encode(payload)}`;
  const algorithm = { name: 'HMAC', hash: 'SHA-256' };
  const key = await crypto.subtle.importKey('raw', Buffer.from(secret), algorithm, false, ['sign']);
  const signature = await crypto.subtle.sign('HMAC', key, Buffer.from(signed));
  return `${signed}.${Buffer.from(signature).toString('base64url')}`;
}

test('[AUTH5] no token is made for a user that would be refused', async () => {
  const claims = { roles: [], expiresInMs: 1_000 };
  for (const user of ['', 'x'.repeat(37), 'a\nb']) {
    expect((await refusalOf(signToken(secret, { ...claims, user }, startMs))).code).toBe('UNAUTHORIZED');
  }
});

test('[AUTH6] issuer and audience are asked for when they are set', async () => {
  const strict = authenticator({ issuer: 'https://id.example.org', audience: 'stagewire' });
  await strict.verify(
    await sign({ sub: 'alice', iss: 'https://id.example.org', aud: ['stagewire', 'other'] }),
  );
  const foreign = await refusalOf(
    strict.verify(await sign({ sub: 'alice', iss: 'https://id.example.org', aud: 'x' })),
  );
  expect(foreign.message).toBe('The token has no "aud" that is accepted here');
  await refusalOf(strict.verify(await sign({ sub: 'alice', aud: 'stagewire' })));
});

test('[AUTH6] an authenticator without any key is not made', () => {
  expect(() => new Authenticator({ clock: clockAt(startMs) })).toThrow(
    'a secret or the URL of a key set is needed',
  );
  expect(() => new Authenticator({ clock: clockAt(startMs), secret: '' })).toThrow('is needed');
});

describe('with a key set', async () => {
  let served: { status: number; keys: readonly JWK[] } = { status: 200, keys: [] };
  let fetches = 0;
  const server = createServer((_request, response) => {
    fetches += 1;
    response.writeHead(served.status, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ keys: served.keys }));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const jwksUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}/keys`;
  afterAll(async () => {
    server.close();
    server.closeAllConnections();
    await once(server, 'close');
  });

  async function keyPair(alg: 'RS256' | 'ES256', kid?: string) {
    const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
    const named = kid === undefined ? {} : { kid };
    return {
      jwk: { ...(await exportJWK(publicKey)), ...named },
      publicKey,
      sign: (payload: JWTPayload) =>
        new SignJWT(payload).setProtectedHeader({ alg, ...named }).sign(privateKey),
    };
  }
  const [rsa, curve, next] = await Promise.all([
    keyPair('RS256', 'one'),
    keyPair('ES256', 'two'),
    keyPair('RS256', 'three'),
  ]);

  const remote = (options: Partial<AuthenticatorOptions> = {}): Authenticator =>
    new Authenticator({ clock: clockAt(startMs), jwksUrl, ...options });

  test('[AUTH7] RS256 and ES256 tokens signed with a key of the set are good, others are not', async () => {
    served = { status: 200, keys: [rsa.jwk, curve.jwk] };
    const verifier = remote();
    expect((await verifier.verify(await rsa.sign({ sub: 'alice' }))).user).toBe('alice');
    expect((await verifier.verify(await curve.sign({ sub: 'bob' }))).user).toBe('bob');
    const unknown = await refusalOf(verifier.verify(await next.sign({ sub: 'eve' })));
    expect(unknown.message).toBe('The token is signed with a key that is not known here');
    const [header, , signature] = (await rsa.sign({ sub: 'alice' })).split('.');
    const forged = await refusalOf(verifier.verify([header, encode({ sub: 'bob' }), signature].join('.')));
    expect(forged.message).toBe('The signature of the token is wrong');
  });

  test('[AUTH7] HS256 is refused where only a key set is given, a public key as its secret too', async () => {
    served = {
      status: 200,
      keys: [rsa.jwk, { ...rsa.jwk, kid: 'x', alg: 'HS256' }, { kty: 'oct', k: 'c2VjcmV0' }],
    };
    const secrets = [secret, 'secret', JSON.stringify(rsa.jwk), String(rsa.jwk.n)];
    for (const verifier of [remote(), remote({ secret: 'the real one' })]) {
      for (const key of secrets) {
        const refusal = await refusalOf(verifier.verify(await sign({ sub: 'alice' }, 'HS256', key)));
        expect(refusal.code).toBe('UNAUTHORIZED');
      }
    }
  });

  test('[AUTH7] with a secret and a key set tokens of both kinds are good', async () => {
    served = { status: 200, keys: [rsa.jwk] };
    const both = remote({ secret });
    expect((await both.verify(await sign({ sub: 'alice' }))).user).toBe('alice');
    expect((await both.verify(await rsa.sign({ sub: 'bob' }))).user).toBe('bob');
  });

  test('[AUTH8] a key that comes into the set is found without a restart', async () => {
    served = { status: 200, keys: [rsa.jwk] };
    const verifier = remote({ jwksCooldownMs: 0 });
    await verifier.verify(await rsa.sign({ sub: 'alice' }));
    served = { status: 200, keys: [next.jwk] };
    expect((await verifier.verify(await next.sign({ sub: 'alice' }))).user).toBe('alice');
    await refusalOf(verifier.verify(await rsa.sign({ sub: 'alice' })));
  });

  test('[AUTH8] unknown keys do not have the set fetched again and again', async () => {
    served = { status: 200, keys: [rsa.jwk] };
    const verifier = remote();
    await verifier.verify(await rsa.sign({ sub: 'alice' }));
    const before = fetches;
    for (let turn = 0; turn < 20; turn += 1)
      await refusalOf(verifier.verify(await next.sign({ sub: 'eve' })));
    expect(fetches).toBe(before);
  });

  test('[AUTH8] a token that names no key is tried with each that fits', async () => {
    const nameless = await keyPair('RS256');
    served = { status: 200, keys: [rsa.jwk, nameless.jwk, next.jwk] };
    const verifier = remote();
    expect((await verifier.verify(await nameless.sign({ sub: 'alice' }))).user).toBe('alice');
    expect((await refusalOf(verifier.verify(await nameless.sign({ sub: 'alice', exp: 1 })))).message).toBe(
      'The token has expired',
    );
    const stranger = await (await keyPair('RS256')).sign({ sub: 'eve' });
    expect((await refusalOf(verifier.verify(stranger))).message).toBe('The signature of the token is wrong');
  });

  test('[AUTH8] while the key set can not be fetched the answer is UNAVAILABLE', async () => {
    served = { status: 500, keys: [] };
    const verifier = remote();
    const token = await rsa.sign({ sub: 'alice' });
    expect((await refusalOf(verifier.verify(token))).code).toBe('UNAVAILABLE');
    expect((await refusalOf(verifier.verify('nonsense'))).code).toBe('UNAUTHORIZED');
    served = { status: 200, keys: [rsa.jwk] };
    expect((await verifier.verify(token)).user).toBe('alice');
    const nobody = new Authenticator({ clock: clockAt(startMs), jwksUrl: 'http://127.0.0.1:1/keys' });
    expect((await refusalOf(nobody.verify(token))).code).toBe('UNAVAILABLE');
  });
});
