// The one list of scenarios.
import { churn } from './churn.ts';
import { documents } from './documents.ts';
import { durable } from './durable.ts';
import { fanout } from './fanout.ts';
import { idle } from './idle.ts';
import { latency } from './latency.ts';
import { presence } from './presence.ts';
import { rooms } from './rooms.ts';
import { ticks } from './ticks.ts';
import type { CommonKey, Scenario } from './scenario.ts';

export const scenarios: readonly Scenario<CommonKey>[] = [
  fanout,
  rooms,
  durable,
  idle,
  churn,
  latency,
  documents,
  ticks,
  presence,
];
