// The worker of mysql-reader.ts: rows as better-sqlite3 gives them, so times are ISO texts and booleans 0 or 1.
import { workerData } from 'node:worker_threads';
import { createConnection, type Connection, type RowDataPacket, type TypeCastField } from 'mysql2/promise';
import type { Answered, Asked, ReaderThread } from './mysql-reader.ts';

const { port, answers } = workerData as ReaderThread;
const connections = new Map<number, Connection>();

port.on('message', (asked: Asked) => {
  answer(asked)
    .catch((error: unknown): Answered => ({ failure: String(error) }))
    .then((answered) => {
      port.postMessage(answered);
      Atomics.add(answers, 0, 1);
      Atomics.notify(answers, 0);
    })
    .catch((error: unknown) => process.stderr.write(`${String(error)}\n`));
});

async function answer(asked: Asked): Promise<Answered> {
  if (asked.type === 'open') {
    const connection = await createConnection({ uri: asked.url, typeCast });
    // What goes wrong is told by the question that is waited for.
    connection.on('error', () => undefined);
    connections.set(asked.reader, connection);
    return { rows: [] };
  }
  const connection = connections.get(asked.reader);
  if (!connection) return { failure: 'This view of the database is closed.' };
  if (asked.type === 'close') {
    connections.delete(asked.reader);
    await connection.end();
    return { rows: [] };
  }
  const [rows] = await connection.query<RowDataPacket[]>(asked.sql, [...asked.values]);
  return { rows };
}

/** `2026-01-31 12:00:00.123000` is `2026-01-31T12:00:00.123Z`; all of the server's times are UTC. */
function typeCast(field: TypeCastField, next: () => unknown): unknown {
  if (field.type !== 'DATETIME') return next();
  const text = field.string();
  return text === null
    ? null
    : `${text.slice(0, 10)}T${text.slice(11, 19)}${(text.slice(19) || '.000').slice(0, 4)}Z`;
}
