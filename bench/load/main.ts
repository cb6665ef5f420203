// A load process: does what its parent says over IPC, reports, and ends with its parent.
import process from 'node:process';
import type { FromLoad, Plan, ToLoad } from '../lib/plan.ts';
import { Churn } from './churn.ts';
import { Traffic } from './traffic.ts';

function tell(message: FromLoad): void {
  process.send?.(message);
}

function fail(error: unknown): void {
  tell({ type: 'failed', reason: error instanceof Error ? error.message : String(error) });
}

function makeLoad(plan: Plan): Traffic | Churn {
  return plan.kind === 'traffic' ? new Traffic(plan) : new Churn(plan);
}

let load: Traffic | Churn | undefined;

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
