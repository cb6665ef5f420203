// What a terminal is told when the server is ready: how to get a token that this server takes, and where to try it.
import { settings, type Config } from './config.ts';

/** @param url the server's own. */
export function welcome({ databaseUrl, jwtSecret, jwksUrl }: Config, url: string): string {
  return `${tokenHint(databaseUrl, jwtSecret, jwksUrl)}\nTry it in a browser: ${url}/docs\n`;
}

function tokenHint(databaseUrl: string, jwtSecret: string | null, jwksUrl: string | null): string {
  const command = 'npx stagewire token --user alice';
  if (jwtSecret !== null) return `A token to try it with, given the same secret: ${command}`;
  if (jwksUrl !== null) return 'Tokens are made by whoever has the private key of the key set.';
  // The secret lies beside the database; a URL of another kind may hold a password, and its secret lies in ./data.
  const isElsewhere = databaseUrl.startsWith('sqlite:') && databaseUrl !== settings.databaseUrl.fallback;
  const where = isElsewhere ? ` --database-url ${quoted(databaseUrl)}` : '';
  return `A token to try it with: ${command}${where}`;
}

/** For a shell. */
function quoted(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
