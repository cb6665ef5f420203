// Storage in another thread: the same contract over a link.
import { Link, type LinkEnd } from '../link/link.ts';
import {
  StorageError,
  type Outcome,
  type Query,
  type QueryName,
  type Rows,
  type Storage,
  type StorageErrorReason,
  type Transaction,
} from './storage.ts';

type Asked =
  | readonly [kind: 'commit', request: number, transactions: readonly Transaction[]]
  | readonly [kind: 'query', request: number, query: Query];
type SentError = readonly [reason: StorageErrorReason, message: string];
type Answered =
  | readonly [kind: 'commit', request: number, outcomes: readonly (SentError | null)[]]
  | readonly [kind: 'query', request: number, rows: readonly unknown[] | null, error: SentError | null];

interface Pending {
  resolve(value: readonly unknown[]): void;
  reject(error: StorageError): void;
}

const sendError = (error: unknown): SentError =>
  error instanceof StorageError ? [error.reason, error.message] : ['UNAVAILABLE', 'The database failed.'];

const receiveError = ([reason, message]: SentError): StorageError => new StorageError(reason, message);

/** Answers what a `RemoteStorage` at the other end asks. */
export function serveStorage(storage: Storage, end: LinkEnd, onClosed: () => void): void {
  const link: Link<Answered, Asked> = new Link<Answered, Asked>(
    end,
    (asked) => {
      const [kind, request] = asked;
      if (kind === 'commit') {
        void storage.commit(asked[2]).then((outcomes) => {
          const sent = outcomes.map((outcome) => (outcome ? sendError(outcome) : null));
          link.send(['commit', request, sent], 0);
        });
      } else {
        storage.query(asked[2]).then(
          (rows) => link.send(['query', request, rows, null], 0),
          (error: unknown) => link.send(['query', request, null, sendError(error)], 0),
        );
      }
    },
    onClosed,
  );
}

/** A store that lives in another thread. When that thread is lost, everything asked is UNAVAILABLE. */
export class RemoteStorage implements Storage {
  readonly #link: Link<Asked, Answered>;
  readonly #pending = new Map<number, Pending>();
  #requests = 0;
  #lost = false;

  constructor(end: LinkEnd) {
    this.#link = new Link<Asked, Answered>(
      end,
      (answer) => this.#receive(answer),
      () => {
        this.#lost = true;
        for (const pending of this.#pending.values()) pending.reject(gone());
        this.#pending.clear();
      },
    );
  }

  async commit(transactions: readonly Transaction[]): Promise<readonly Outcome[]> {
    try {
      return (await this.#ask((request) => ['commit', request, transactions])) as readonly Outcome[];
    } catch (error) {
      return transactions.map(() => error as StorageError);
    }
  }

  async query<Name extends QueryName>(query: Query<Name>): Promise<Rows<Name>> {
    return (await this.#ask((request) => ['query', request, query as Query])) as unknown as Rows<Name>;
  }

  close(): Promise<void> {
    this.#link.close();
    return Promise.resolve();
  }

  #ask(message: (request: number) => Asked): Promise<readonly unknown[]> {
    if (this.#lost) return Promise.reject(gone());
    this.#requests += 1;
    const request = this.#requests;
    return new Promise((resolve, reject) => {
      this.#pending.set(request, { resolve, reject });
      this.#link.send(message(request), 0);
    });
  }

  #receive(answer: Answered): void {
    const pending = this.#pending.get(answer[1]);
    if (!pending) return;
    this.#pending.delete(answer[1]);
    if (answer[0] === 'commit') {
      pending.resolve(answer[2].map((error) => (error ? receiveError(error) : null)));
    } else if (answer[2]) pending.resolve(answer[2]);
    else pending.reject(answer[3] ? receiveError(answer[3]) : gone());
  }
}

function gone(): StorageError {
  return new StorageError('UNAVAILABLE', 'The storage thread is gone.');
}
