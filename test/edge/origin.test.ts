import { expect, test } from 'vitest';
import { originAllowed } from '../../src/edge/origin.ts';

test('[ORIGIN1] without an Origin header a request is allowed', () => {
  expect(originAllowed(undefined, 'example.org', [])).toBe(true);
});

test('[ORIGIN2] a page of the same host and port is allowed, default ports and letter case aside', () => {
  for (const [origin, host] of [
    ['http://localhost:8080', 'localhost:8080'],
    ['http://example.org', 'example.org'],
    ['https://example.org', 'example.org'],
    ['https://example.org', 'example.org:443'],
    ['http://example.org:80', 'example.org'],
    ['HTTPS://Example.ORG', 'example.org'],
    ['http://[::1]:8080', '[::1]:8080'],
  ] as const) {
    expect(originAllowed(origin, host, []), `${origin} at ${host}`).toBe(true);
  }
  for (const [origin, host] of [
    ['http://localhost:8081', 'localhost:8080'],
    ['http://example.org', 'example.org:443'],
    ['http://example.org', 'www.example.org'],
    ['http://www.example.org', 'example.org'],
    ['http://127.0.0.1:8080', 'localhost:8080'],
    ['ftp://example.org', 'example.org'],
    ['http://example.org', ''],
  ] as const) {
    expect(originAllowed(origin, host, []), `${origin} at ${host}`).toBe(false);
  }
});

test('[ORIGIN3] a listed origin is allowed: exactly, by a star in its host or port, or all by *', () => {
  const from = (origin: string, ...allowed: string[]): boolean =>
    originAllowed(origin, 'server.test', allowed);
  expect(from('https://app.example.org', 'https://other.test', 'https://app.example.org')).toBe(true);
  expect(from('https://app.example.org', 'https://APP.example.org:443')).toBe(true);
  expect(from('capacitor://localhost', 'capacitor://localhost')).toBe(true);
  expect(from('https://app.example.org:8443', 'https://app.example.org')).toBe(false);
  expect(from('http://app.example.org', 'https://app.example.org')).toBe(false);

  expect(from('https://a.example.org', 'https://*.example.org')).toBe(true);
  expect(from('https://a.b.example.org', 'https://*.example.org')).toBe(true);
  expect(from('https://example.org', 'https://*.example.org')).toBe(false);
  expect(from('https://badexample.org', 'https://*.example.org')).toBe(false);
  expect(from('https://a.example.org.evil.test', 'https://*.example.org')).toBe(false);
  expect(from('https://a.example.org:8443', 'https://*.example.org')).toBe(false);
  expect(from('http://localhost:5173', 'http://localhost:*')).toBe(true);
  expect(from('http://localhost', 'http://localhost:*')).toBe(true);
  expect(from('http://localhost.evil.test:5173', 'http://localhost:*')).toBe(false);

  expect(from('https://anything.test', '*')).toBe(true);
  expect(from('null', '*')).toBe(true);
  expect(from('null', 'https://*.example.org')).toBe(false);
});

test('[ORIGIN4] what is not an origin is not allowed, whatever is listed', () => {
  for (const origin of [
    '',
    '*',
    'example.org',
    'https://',
    'https://*.example.org',
    'https://a.example.org/',
    'https://a.example.org/.example.org',
    'https://server.test@evil.test',
    'https://evil.test#.example.org',
    'https://evil.test?.example.org',
    'https://a.example.org:port',
    'https://a b.example.org',
    'https://a.example.org\n',
    'http://a.example.org, http://evil.test',
    `https://${'a'.repeat(100_000)}.example.org`,
  ]) {
    expect(originAllowed(origin, 'server.test', ['*', 'https://*.example.org']), origin.slice(0, 60)).toBe(
      false,
    );
  }
});
