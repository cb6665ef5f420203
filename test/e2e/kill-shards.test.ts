// The thread of each shard dies while clients work: what it was asked is done or UNAVAILABLE, and nobody misses a thing.
import { expect, test } from 'vitest';
import { documentsLoad } from '../support/kill-documents.ts';
import { inventoryLoad } from '../support/kill-inventory.ts';
import { comeBack, finish, type MakeLoad } from '../support/kill-rounds.ts';
import { idOn, topicOn } from '../support/layouts.ts';
import { startServer } from '../support/server.ts';
import { connectStomp } from '../support/stomp.ts';
import { Watch } from '../support/watch.ts';

const kindsUrl = new URL('../support/faulty-kinds.js', import.meta.url).href;
const shards = 2;
/** Each of them in each shard. In the second much of what was asked is done, but not answered. */
const deaths = ['fault:exit', 'fault:exit-committing'].flatMap((fault) =>
  Array.from({ length: shards }, (_none, shard) => ({ fault, topic: topicOn(shard, shards) })),
);
/** Frames that the participants get before a thread dies. */
const framesBetween = 400;

/** @returns how often something was UNAVAILABLE. */
async function killEachShard(makeLoad: MakeLoad): Promise<number> {
  const server = await startServer({ kindsUrl, settings: { edges: '2', shards: String(shards) } });
  const load = await makeLoad(server);
  const { participants } = load;
  await comeBack(server, load);
  const killer = await connectStomp(server, { user: 'killer' });

  let frames = 0;
  let isOver = false;
  const watch = new Watch(() => `${frames} frames came`);
  for (const participant of participants) {
    participant.onFrame = () => {
      frames += 1;
      watch.changed();
    };
  }
  const moreFrames = (): Promise<void> => {
    const enough = frames + framesBetween;
    return watch.until(() => frames >= enough, `${framesBetween} more frames`);
  };
  const shift = { onSend: () => undefined, isOver: () => isOver, mayBeUnavailable: true };
  const work = participants.map((one) => one.work(shift));
  for (const [index, { fault, topic }] of deaths.entries()) {
    await moreFrames();
    killer.sendFrame('SEND', { destination: topic }, fault);
    await server.logged(
      () => server.log.filter(({ msg }) => msg === 'thread is back').length > index,
      'thread is back',
    );
  }
  await moreFrames();
  isOver = true;
  await Promise.all(work);
  await finish(server, load);
  return participants.reduce((sum, { unavailable }) => sum + unavailable, 0);
}

const documentIds = [idOn('document', 0, shards), idOn('document', 1, shards)];
const productIds = ['counted', idOn('product', 0, shards), idOn('product', 1, shards)] as const;

test.concurrent.each<[what: string, makeLoad: MakeLoad]>([
  ['editors', (server) => documentsLoad(server, documentIds)],
  ['those who follow the inventory', (server) => inventoryLoad(server, productIds)],
])(
  '[KILL7] each shard dies twice: %s see everything once, what is asked is done or UNAVAILABLE',
  async (_what, makeLoad) => {
    expect(await killEachShard(makeLoad)).toBeGreaterThan(0);
  },
);
