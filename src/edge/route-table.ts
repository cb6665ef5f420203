// Finds the actor that a frame or a request is for.
import { actorKey, fromSegment, type Method, type Route } from '../actors/route.ts';
import { Refusal } from '../errors.ts';
import type { Params } from '../link/messages.ts';

/** What a path says of the actor; the id is null where it does not come from the path. */
export interface Found {
  readonly route: Route;
  readonly id: string | null;
  readonly params: Params | null;
}

interface Answer {
  readonly found: Found | null;
  /** A domain's own destination: no client may send to it. */
  readonly forbidden: boolean;
}

interface Matcher {
  readonly route: Route;
  readonly expression: RegExp;
  readonly names: readonly string[];
  readonly literalLength: number;
}

const recentMax = 10_000;
const pathCharactersMax = 1_024;
const nothing: Answer = { found: null, forbidden: false };
const idCharactersMax = 36;

function compile(route: Route): Matcher {
  const names: string[] = [];
  let literalLength = 0;
  const source = route.pattern
    .split(/(\{\w+(?::\*\*)?\})/)
    .map((part) => {
      const name = /^\{(\w+)(:\*\*)?\}$/.exec(part);
      if (!name) {
        literalLength += part.length;
        return part.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`);
      }
      names.push(name[1] ?? '');
      return name[2] ? '(.+)' : '([^/]+)';
    })
    .join('');
  return { route, expression: new RegExp(`^${source}$`, 's'), names, literalLength };
}

export class RouteTable {
  readonly #matchers = new Map<Method, readonly Matcher[]>();
  /** Per method: paths asked lately. */
  readonly #recent = new Map<Method, Map<string, Answer>>();

  constructor(routes: readonly Route[]) {
    for (const matcher of routes.map(compile)) {
      const others = this.#matchers.get(matcher.route.method) ?? [];
      // The more a pattern spells out, the earlier it is asked; the order of the kinds decides between equals.
      const sorted = [...others, matcher].toSorted((a, b) => b.literalLength - a.literalLength);
      this.#matchers.set(matcher.route.method, sorted);
    }
  }

  /**
   * @returns the door for this path, or null.
   * @throws Refusal FORBIDDEN for a SEND to a destination that a domain alone writes to.
   */
  find(method: Method, path: string): Found | null {
    const { found, forbidden } = this.#answer(method, path);
    if (forbidden) throw new Refusal('FORBIDDEN', `Clients can't send to ${path}.`);
    return found;
  }

  /** What a refusal says of the actor behind a destination, such as `{roomId}`. */
  subjectOf(destination: string): Readonly<Record<string, string>> {
    for (const method of ['SEND', 'SUBSCRIBE'] as const) {
      const { found } = this.#answer(method, destination);
      if (found && found.id !== null && found.route.subject !== null)
        return { [found.route.subject]: found.id };
    }
    return {};
  }

  #answer(method: Method, path: string): Answer {
    if (path.length > pathCharactersMax) return nothing;
    let recent = this.#recent.get(method);
    if (!recent) this.#recent.set(method, (recent = new Map<string, Answer>()));
    let answer = recent.get(path);
    if (!answer) {
      const found = this.#match(method, path);
      answer = { found, forbidden: method === 'SEND' && this.#ownedByOther(path, found) };
      if (recent.size >= recentMax) recent.clear();
      recent.set(path, answer);
    }
    return answer;
  }

  /** Whether a REST path exists with some other method. */
  methodsOf(path: string): Method[] {
    const methods: Method[] = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'];
    return methods.filter((method) => this.find(method, path) !== null);
  }

  #ownedByOther(path: string, found: Found | null): boolean {
    const owner = this.find('SUBSCRIBE', path);
    // An answer goes to who asked for it: nobody writes there.
    if (owner === null || owner.route.isAnswer) return false;
    return owner.route.kind !== found?.route.kind;
  }

  #match(method: Method, path: string): Found | null {
    for (const { route, expression, names } of this.#matchers.get(method) ?? []) {
      const match = expression.exec(path);
      if (!match) continue;
      const values = match.slice(1).map((value, index) => decode(route, names[index], value));
      const params: Record<string, string> = {};
      let id: string | null = null;
      for (const [index, name] of names.entries()) {
        if (name === 'id') id = values[index] ?? null;
        else params[name] = values[index] ?? '';
      }
      return { route, id, params: Object.keys(params).length > 0 ? params : null };
    }
    return null;
  }
}

function decode({ method, pattern, isAnswer }: Route, name: string | undefined, value: string): string {
  if ((method === 'SEND' || method === 'SUBSCRIBE') && !isAnswer) {
    return name === 'id' && pattern.startsWith('/user/') ? fromSegment(value) : value;
  }
  try {
    return decodeURIComponent(value);
  } catch {
    return value;
  }
}

/**
 * The key of the actor behind a door that asks one.
 *
 * @param body what comes with it, for doors that find the id there.
 */
export function actorOf(found: Found, user: string, newId: () => string, body?: Uint8Array): string {
  const { route, id } = found;
  if (route.id === 'path') return actorKey(route.kind, id ?? '');
  if (route.id === 'user') return actorKey(route.kind, user);
  const own = route.id.startsWith('body:') ? idIn(body, route.id.slice('body:'.length)) : null;
  return actorKey(route.kind, own ?? newId());
}

/** The query parameter that lists the actors of a door that asks each of them; null for a door that asks one. */
export function listOf({ id }: Route): string | null {
  return id.startsWith('each:') ? id.slice('each:'.length) : null;
}

/** An id that no actor can have is left to the actor's decoder, which says what is wrong with it. */
function idIn(body: Uint8Array | undefined, field: string): string | null {
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(body ?? []).toString());
  } catch {
    return null;
  }
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, field)) return null;
  const id: unknown = (value as Record<string, unknown>)[field];
  return typeof id === 'string' && id.length <= idCharactersMax && /^[^\p{Cc}\p{Cs}/]+$/u.test(id)
    ? id
    : null;
}
