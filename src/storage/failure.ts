// What went wrong in a database, as the contract tells it.
import { StorageError } from './storage.ts';

export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

export function constraint(cause: unknown): StorageError {
  return new StorageError('CONSTRAINT', reasonOf(cause), { cause });
}

export function unavailable(cause: unknown): StorageError {
  if (cause instanceof StorageError) return cause;
  return new StorageError('UNAVAILABLE', reasonOf(cause), { cause });
}
