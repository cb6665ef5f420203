// The log: one JSON object a line on standard error. Written at once, so that no line is lost when a thread ends.
import { destination, pino, type Logger } from 'pino';
import type { LogLevel } from './config.ts';
import { systemClock } from './lib/clock.ts';

const standardError = 2;

export function openLog(level: LogLevel, thread: string): Logger {
  return pino(
    { level, base: { thread }, timestamp: () => `,"time":"${new Date(systemClock.now()).toISOString()}"` },
    destination({ dest: standardError, sync: true }),
  );
}
