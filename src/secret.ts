// The secret that signs tokens, when the operator has set none.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { isLoopback, type Config, ConfigError } from './config.ts';
import { newSecret } from './lib/random.ts';

const secretBytes = 48;

/** Next to the database, or in ./data. */
function dataFolder(databaseUrl: string): string {
  return databaseUrl.startsWith('sqlite:') ? dirname(databaseUrl.slice('sqlite:'.length)) : './data';
}

/**
 * The configured secret, or the one of the data folder, which is made when there is none.
 *
 * @returns null when tokens are checked with a key set alone.
 * @throws ConfigError on an address that others reach: there the operator must choose one.
 */
export function findSecret(config: Config): string | null {
  if (config.jwtSecret !== null) return config.jwtSecret;
  if (config.jwksUrl !== null) return null;
  if (!isLoopback(config.host)) {
    throw new ConfigError(
      `listening on ${config.host} needs a secret: set --jwt-secret or STAGEWIRE_JWT_SECRET to at least 32 random ` +
        'bytes (openssl rand -base64 48), or --jwks-url',
    );
  }
  const folder = dataFolder(config.databaseUrl);
  const file = join(folder, 'jwt-secret');
  if (!existsSync(file)) {
    mkdirSync(folder, { recursive: true });
    try {
      writeFileSync(file, `${newSecret(secretBytes)}\n`, { mode: 0o600, flag: 'wx' });
    } catch (error) {
      // Another process made it first: that one counts.
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
  }
  const secret = readFileSync(file, 'utf8').trim();
  if (secret === '') throw new ConfigError(`${file} is empty: remove it, or set --jwt-secret`);
  return secret;
}
