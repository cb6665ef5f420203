// The contract of kinds, on all kinds there are. One without samples here fails.
import { kinds } from '../../src/actors/kinds.ts';
import { kindContract, type KindSamples } from './kind.contract.ts';
import { documentSamples } from './document.samples.ts';
import { queueSamples } from './queue.samples.ts';
import { roomSamples } from './room.samples.ts';
import { topicSamples } from './topic.samples.ts';
import { userSamples } from './user.samples.ts';

const samples: Readonly<Record<string, KindSamples>> = {
  room: roomSamples,
  document: documentSamples,
  user: userSamples,
  topic: topicSamples,
  queue: queueSamples,
};

for (const kind of kinds) kindContract(kind, samples[kind.name]);
