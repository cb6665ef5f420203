// What a terminal is told when the server is ready.
import { expect, test } from 'vitest';
import { resolveConfig, type Given } from '../src/config.ts';
import { welcome } from '../src/welcome.ts';

const secret = 'a secret of at least thirty-two bytes';
const url = 'http://127.0.0.1:8080';

function told(given: Given): string {
  const text = welcome(resolveConfig(given, {}), url);
  expect(text).toContain(`${url}/docs`);
  return text;
}

test.each<[Given, string]>([
  [{}, 'A token to try it with: npx stagewire token --user alice\n'],
  [{ databaseUrl: 'sqlite:/srv/a.db' }, 'token --user alice --database-url sqlite:/srv/a.db\n'],
  [{ databaseUrl: "sqlite:/srv/my 'own'.db" }, String.raw`--database-url 'sqlite:/srv/my '\''own'\''.db'`],
  [{ databaseUrl: 'mysql://user:password@db/stagewire' }, 'token --user alice\n'],
  [
    { databaseUrl: 'sqlite:/srv/a.db', jwtSecret: secret },
    'given the same secret: npx stagewire token --user alice\n',
  ],
  [{ jwksUrl: 'https://id.example.org/keys' }, 'private key of the key set'],
])('[PROC28] of %j: how to get a token', (given, hint) => {
  const text = told(given);
  expect(text).toContain(hint);
  expect(text).not.toContain('password');
  expect(text).not.toContain(secret);
});
