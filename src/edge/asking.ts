// Asks behind a door: one actor, or each of a list of them, whose answers become one list.
import { actorKey } from '../actors/route.ts';
import { Refusal } from '../errors.ts';
import { ToShard, type Asker, type Params } from '../link/messages.ts';
import type { Edge } from './edge.ts';
import { newIdFor } from './idempotency-key.ts';
import { actorOf, listOf, type Found } from './route-table.ts';
import type { Waiting } from './shard-port.ts';

/** Names that one list may hold. */
const namesMax = 500;
const nameCharactersMax = 36;

export interface Question {
  readonly found: Found;
  readonly asker: Asker;
  /** The query string as it came. */
  readonly query: string;
  readonly key: string | null;
  readonly body: Uint8Array;
}

/** A question and whom it is for. */
export interface Asked {
  readonly question: Question;
  readonly commands: readonly { readonly actor: string; readonly params: Params }[];
  /** Whether the answer is a list, also of one. */
  readonly isList: boolean;
}

/** @throws Refusal BAD_REQUEST for a list that can't be asked for. */
export function prepare(question: Question): Asked {
  const { found, asker, query, key, body } = question;
  const [user] = asker;
  const params: Record<string, string> = {
    ...Object.fromEntries(new URLSearchParams(query)),
    ...found.params,
  };
  const list = listOf(found.route);
  if (list === null) {
    const newId = (): string => newIdFor(found.route.kind, user, key);
    return { question, commands: [{ actor: actorOf(found, user, newId, body), params }], isList: false };
  }
  // Each gets its own name alone: the whole list would go to all of the list.
  const commands = namesIn(list, list in params ? itemsOf(list, query) : []).map((name) => ({
    actor: actorKey(found.route.kind, name),
    params: { ...params, [list]: name },
  }));
  return { question, commands, isList: true };
}

export function ask(edge: Edge, { question, commands, isList }: Asked, waiting: Waiting): void {
  const { found, asker, key, body } = question;
  const gathering = isList ? new Gathering(commands.length, waiting) : null;
  for (const [index, { actor, params }] of commands.entries()) {
    const fields = [actor, found.route.target, asker, params, key, null, body, false] as const;
    edge.portOf(actor).request({ op: ToShard.command, fields }, gathering?.at(index) ?? waiting);
  }
}

/**
 * Where a comma stands as itself it separates, and encoded ones belong to names. Where none does, encoded ones separate:
 * so `URLSearchParams` and its like write a list.
 */
function itemsOf(parameter: string, query: string): string[] {
  const decode = (text: string): string => new URLSearchParams(`_=${text}`).get('_') ?? '';
  const raw = query.split('&').findLast((one) => decode(one.replace(/=.*/s, '')) === parameter) ?? '';
  const value = raw.includes('=') ? raw.slice(raw.indexOf('=') + 1) : '';
  return value.includes(',') ? value.split(',').map(decode) : decode(value).split(',');
}

function namesIn(parameter: string, items: readonly string[]): string[] {
  const names = [...new Set(items.filter((name) => name !== ''))];
  if (names.length === 0) throw new Refusal('BAD_REQUEST', `${parameter} must name at least one.`);
  if (names.length > namesMax) throw new Refusal('BAD_REQUEST', `${parameter} may name at most ${namesMax}.`);
  for (const name of names) {
    if (name.length > nameCharactersMax || /[\p{Cc}\p{Cs}]/u.test(name)) {
      const allowed = `1 to ${nameCharactersMax} characters, none of them a control character`;
      throw new Refusal('BAD_REQUEST', `A name in ${parameter} must have ${allowed}.`);
    }
  }
  return names;
}

/** Answers as JSON, joined in the order asked; when one was refused, all are. */
class Gathering {
  readonly #answers: string[];
  readonly #waiting: Waiting;
  #open: number;
  #refusal: Refusal | null = null;

  constructor(count: number, waiting: Waiting) {
    this.#answers = Array.from({ length: count }, () => 'null');
    this.#open = count;
    this.#waiting = waiting;
  }

  at(index: number): Waiting {
    return {
      answered: (body) => {
        if (body && body.length > 0) this.#answers[index] = Buffer.from(body).toString();
        this.#settle();
      },
      refused: (refusal) => {
        this.#refusal ??= refusal;
        this.#settle();
      },
    };
  }

  /** Only when none is on its way any more, so that what is asked counts for as long as it takes. */
  #settle(): void {
    this.#open -= 1;
    if (this.#open > 0) return;
    if (this.#refusal) this.#waiting.refused(this.#refusal);
    else this.#waiting.answered(Buffer.from(`[${this.#answers.join(',')}]`), null);
  }
}
