// Runs in a child process of the tests: `migrate URL` waits for a line, then migrates; `commit FILE` commits to a
// SQLite file for ever and tells of each commit that was acknowledged.
import { writeSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { migrate } from '../../src/storage/open.ts';
import { openSqlite } from '../../src/storage/sqlite/sqlite.ts';
import { insert, message, topicMessage } from './rows.ts';

const [, , task, place = ''] = process.argv;

// Written before anything else happens, so that a killed process has told all it knew.
const say = (value: unknown) => writeSync(1, `${JSON.stringify(value)}\n`);

async function commitForEver(): Promise<never> {
  const storage = openSqlite({ file: place });
  for (let seq = 1; ; seq += 2) {
    const outcomes = await storage.commit(
      [seq, seq + 1].map((each) => [
        insert('chat_messages', message({ seq: each, content: 'x'.repeat((each * 7919) % 5000) })),
        insert('topic_messages', topicMessage({ seq: each })),
      ]),
    );
    say(outcomes.every((outcome) => outcome === null) ? seq + 1 : outcomes);
  }
}

function migrateOnCommand(): void {
  const commands = createInterface({ input: process.stdin });
  commands.once('line', () => {
    commands.close();
    process.stdin.destroy();
    migrate(place).then(say, (error: unknown) => say({ error: String(error) }));
  });
  say('ready');
}

if (task === 'commit') await commitForEver();
else migrateOnCommand();
