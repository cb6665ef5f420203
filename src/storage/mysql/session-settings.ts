// What a session of the store is, whatever the server is set to.

const modes = [
  // A value that does not fit is an error in any table, and not made to fit.
  'STRICT_ALL_TABLES',
  'NO_ZERO_IN_DATE',
  'NO_ZERO_DATE',
  'ERROR_FOR_DIVISION_BY_ZERO',
  'NO_ENGINE_SUBSTITUTION',
].join(',');

// Longer than any pause between two pings.
const idleLimitS = 600;

/** Statements for a new connection. */
export function sessionSettings(isMariadb: boolean): string[] {
  return [
    // Servers can be told not to listen to what a connection asks for when it is opened.
    'SET NAMES utf8mb4',
    `SET SESSION sql_mode = '${modes}', time_zone = '+00:00', foreign_key_checks = 1, unique_checks = 1, ` +
      `wait_timeout = ${idleLimitS}`,
    // Each statement sees what is committed when it begins, and locks rows alone and not the gaps between them: nothing
    // here relies on a row not being there, but on unique keys and on the row of the claim, which is there.
    'SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED',
    ...(isMariadb
      ? // Statements are planned with the value of a subquery that names no other row, as MySQL does by itself.
        ['SET SESSION expensive_subquery_limit = 4294967295']
      : []),
  ];
}
