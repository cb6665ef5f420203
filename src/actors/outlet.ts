// The way of what actors send: to the edge that asked, or to all edges with subscribers of a destination.
import { Refusal } from '../errors.ts';
import { ToEdge, type ToEdgeMessage } from '../link/messages.ts';
import { StorageError } from '../storage/storage.ts';
import type { Asking, Cell } from './cell.ts';
import type { Subscribers } from './subscribers.ts';
import type { Output } from './turn.ts';

/** What goes to edges; all else has a way of its own. */
type ToEdges = Exclude<Output, { to: 'peer' | 'nodes' | 'snapshots' }>;

/** The way to one edge. */
export interface EdgePort {
  send(message: ToEdgeMessage, bytes: number): void;
  /** Sends what was gathered now, as nothing more will come in this turn of the event loop. */
  flush(): void;
  readonly full: boolean;
}

export class Outlet {
  // An edge that comes again gets another number, so that it can't be sent answers to what it never asked.
  readonly #numbers = new Map<number, number>();
  #numberCount = 0;
  readonly #ports = new Map<number, EdgePort>();
  /** Edges whose wildcards may want any plain message. */
  readonly #wildcards = new Set<number>();

  /** @param index the edge's place; all other methods take its number. */
  add(index: number, port: EdgePort): void {
    this.#numberCount += 1;
    this.#numbers.set(index, this.#numberCount);
    this.#ports.set(this.#numberCount, port);
  }

  /** The number of the edge in that place; 0 when there is none. */
  numberOf(index: number): number {
    return this.#numbers.get(index) ?? 0;
  }

  remove(index: number): void {
    const edge = this.numberOf(index);
    this.#numbers.delete(index);
    this.#ports.delete(edge);
    this.#wildcards.delete(edge);
  }

  setWildcards(edge: number, wanted: boolean): void {
    if (wanted) this.#wildcards.add(edge);
    else this.#wildcards.delete(edge);
  }

  has(edge: number): boolean {
    return this.#ports.has(edge);
  }

  full(edge: number): boolean {
    return this.#ports.get(edge)?.full === true;
  }

  send(edge: number, message: ToEdgeMessage): void {
    this.#ports.get(edge)?.send(message, 0);
  }

  flush(): void {
    for (const port of this.#ports.values()) port.flush();
  }

  /** @param subscribers of the actor that sent it; undefined when it has none. */
  release({ to, message, bytes }: ToEdges, subscribers: Subscribers | undefined): void {
    if ('edge' in to) {
      this.#ports.get(to.edge)?.send(message, bytes);
      return;
    }
    let edges = subscribers?.edges(to.destination) ?? [];
    if (to.plain && this.#wildcards.size > 0) {
      const wild = [...this.#wildcards].filter((edge) => !subscribers?.isRejoining(to.destination, edge));
      edges = new Set([...edges, ...wild]);
    }
    for (const edge of edges) this.#ports.get(edge)?.send(message, bytes);
  }

  /** Its writes were not applied: answers become refusals, what was for subscribers never happened. */
  lose(output: ToEdges, error: StorageError): void {
    const { to, message } = output;
    if ('undo' in output) output.undo?.();
    if (!('edge' in to)) return;
    const { code, message: text, detail } = commitRefusal(error);
    if (message[0] === ToEdge.reply) this.send(to.edge, [ToEdge.refuse, message[1], code, text, detail]);
    else if (message[0] === ToEdge.subscribed) {
      this.send(to.edge, [ToEdge.refuseSubscription, message[1], code, text, detail]);
    } else if (message[0] !== ToEdge.deliver) this.send(to.edge, message);
  }
}

function commitRefusal({ reason }: StorageError): Refusal {
  switch (reason) {
    case 'CONSTRAINT':
      return new Refusal('CONFLICT', 'This exists already.');
    case 'UNAVAILABLE':
      return new Refusal('UNAVAILABLE', 'This could not be stored, try again later.');
    case 'FENCED':
      return replaced();
  }
}

export function replaced(): Refusal {
  return new Refusal('UNAVAILABLE', 'Another server has taken over: connect again.');
}

export function unreadable(): Refusal {
  return new Refusal('UNAVAILABLE', 'This can not be read at the moment.');
}

export function stopped(): Refusal {
  return new Refusal('UNAVAILABLE', 'This is stopped for a while after repeated faults.');
}

/** What whoever asked is told of anything thrown: a Refusal as it is, a fault of ours without its text. */
function asRefusal(thrown: unknown): Refusal {
  if (thrown instanceof Refusal) return thrown;
  if (thrown instanceof StorageError) return thrown.reason === 'FENCED' ? replaced() : unreadable();
  return new Refusal('INTERNAL', 'The server could not do this.');
}

/** The same, with what the actor's kind adds to its refusals. */
export function refusalOf({ kind, id }: Cell, item: Asking, thrown: unknown, now: number): Refusal {
  const { code, message, detail } = asRefusal(thrown);
  // What could not be made has no id to be told.
  const source = item.type === 'command' ? kind.commands[item.message[3]]?.id : undefined;
  const isMade = source !== 'new' && source?.startsWith('body:') !== true;
  return new Refusal(code, message, { ...(isMade ? kind.refusalDetail?.(id, now) : undefined), ...detail });
}

/** The refusal of an item as a message; undefined when nobody waits for an answer. */
export function refusalMessage(item: Asking, { code, message, detail }: Refusal): ToEdgeMessage {
  const request = item.message[1];
  return item.type === 'command' || item.type === 'acknowledge' || item.type === 'settle'
    ? [ToEdge.refuse, request, code, message, detail]
    : [ToEdge.refuseSubscription, request, code, message, detail];
}
