// Times of a database that others made. Migrations that are released use this: its text never changes.

/** A time of any of the forms SQLite knows, or milliseconds since 1970, as the text that Stagewire keeps. */
export function isoTime(column: string): string {
  return `CASE typeof(${column})
    WHEN 'text' THEN strftime('%Y-%m-%dT%H:%M:%fZ', ${column})
    ELSE strftime('%Y-%m-%dT%H:%M:%fZ', ${column} / 1000.0, 'unixepoch')
  END`;
}
