// Sorts what goes wrong at the server.
import { StorageError } from '../storage.ts';

/** Duplicate keys, missing or referring rows, and values that a column does not take. */
const refusedByData: ReadonlySet<number> = new Set([
  1048, 1062, 1169, 1216, 1217, 1264, 1265, 1292, 1364, 1366, 1406, 1451, 1452, 1526, 1557, 1690, 3819, 4025,
]);
const toRetry: ReadonlySet<number> = new Set([1205, 1213]);

const numberOf = (error: unknown): number => {
  const { errno } = (error ?? {}) as { errno?: unknown };
  return typeof errno === 'number' ? errno : 0;
};

/** Whether what was asked can never work; what is no error of the driver comes from a value that can't be bound. */
export function isRefusedByData(error: unknown): boolean {
  if (error instanceof StorageError) return false;
  if (error instanceof RangeError || error instanceof TypeError) return true;
  return refusedByData.has(numberOf(error));
}

/** A deadlock, or a lock that was not to be had in time. */
export function isToRetry(error: unknown): boolean {
  return toRetry.has(numberOf(error));
}

const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

export function constraint(cause: unknown): StorageError {
  return new StorageError('CONSTRAINT', reasonOf(cause), { cause });
}

export function unavailable(cause: unknown): StorageError {
  if (cause instanceof StorageError) return cause;
  return new StorageError('UNAVAILABLE', reasonOf(cause), { cause });
}
