// A load process: does what its parent says over IPC, reports, and ends with its parent.
import process from 'node:process';
import type { FromLoad, LoadFigures, Plan, RoomTotal, RunOrder, ToLoad } from '../lib/plan.ts';
import { Churn } from './churn.ts';
import { Crowd } from './crowd.ts';
import { Editing } from './editing.ts';
import { Market } from './market.ts';
import { Traffic } from './traffic.ts';

function tell(message: FromLoad): void {
  process.send?.(message);
}

function fail(error: unknown): void {
  tell({ type: 'failed', reason: error instanceof Error ? error.message : String(error) });
}

interface Load {
  prepare(): Promise<void>;
  run(order: RunOrder): Promise<readonly RoomTotal[]>;
  settle(totals: readonly RoomTotal[], limitMs: number): Promise<LoadFigures>;
}

function makeLoad(plan: Plan): Load {
  switch (plan.kind) {
    case 'traffic':
      return new Traffic(plan);
    case 'churn':
      return new Churn(plan);
    case 'editing':
      return new Editing(plan);
    case 'market':
      return new Market(plan);
    case 'crowd':
      return new Crowd(plan);
  }
}

let load: Load | undefined;

async function obey(message: ToLoad): Promise<void> {
  if (message.type === 'prepare') {
    load = makeLoad(message.plan);
    await load.prepare();
    tell({ type: 'prepared' });
  } else if (load === undefined) {
    throw new Error(`told to ${message.type} before there was a plan`);
  } else if (message.type === 'run') {
    tell({ type: 'sent', totals: await load.run(message.order) });
  } else {
    tell({ type: 'settled', figures: await load.settle(message.totals, message.limitMs) });
  }
}

process.on('message', (message) => {
  obey(message as ToLoad).catch(fail);
});
process.on('disconnect', () => process.exit(0));
process.on('uncaughtException', fail);
// Ctrl-C reaches the whole process group: the parent ends the run.
process.on('SIGINT', () => undefined);
