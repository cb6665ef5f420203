// The one list of scenarios.
import { churn } from './churn.ts';
import { durable } from './durable.ts';
import { fanout } from './fanout.ts';
import { idle } from './idle.ts';
import { latency } from './latency.ts';
import { rooms } from './rooms.ts';
import type { CommonKey, Scenario } from './scenario.ts';

export const scenarios: readonly Scenario<CommonKey>[] = [fanout, rooms, durable, idle, churn, latency];
