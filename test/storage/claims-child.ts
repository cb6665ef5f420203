// Runs in a child process of the claims' tests, on the database of a URL. `commit URL CLAIM` commits until it may not any
// more: it tells the seq of each message that was acknowledged, and at last how that ended. `claim URL NAME` waits for a
// line, then claims, and tells the claim.
import { writeSync } from 'node:fs';
import { createInterface } from 'node:readline';
import type { Claim } from '../../src/storage/claim.ts';
import { claimStorage, openStorage } from '../../src/storage/open.ts';
import { insert, message, reasons, topicMessage } from './rows.ts';

const [, , task, url = '', parameter = ''] = process.argv;

const say = (value: unknown) => writeSync(1, `${JSON.stringify(value)}\n`);

/** Every other commit holds a transaction that is refused, so that the store applies the rest one by one. */
async function commitWhileOurs(claim: Claim): Promise<void> {
  const storage = await openStorage(url, { claim });
  const stray = [insert('chat_messages', message({ room_id: 'none' }))];
  for (let seq = 1; ; seq += 1) {
    const one = [insert('topic_messages', topicMessage({ seq }))];
    const outcomes = await storage.commit(seq % 2 === 0 ? [stray, one] : [one]);
    if (outcomes.at(-1) !== null) {
      say(reasons(outcomes));
      break;
    }
    say(seq);
  }
  await storage.close();
}

async function claimOnCommand(): Promise<void> {
  const commands = createInterface({ input: process.stdin });
  const command = new Promise((resolve) => commands.once('line', resolve));
  say('ready');
  await command;
  commands.close();
  process.stdin.destroy();
  say('claiming');
  say(await claimStorage(url, parameter, Date.now()));
}

if (task === 'commit') await commitWhileOurs(JSON.parse(parameter) as Claim);
else await claimOnCommand();
