// What the handling of an item needs of the shard it runs on.
import type { Asker, Params, PublishMessage, SubscribedMessage, ToEdgeMessage } from '../link/messages.ts';
import type { Shared } from '../storage/shared.ts';
import type { Query } from '../storage/storage.ts';
import type { Cell, Item, Silent } from './cell.ts';
import type { Turn } from './turn.ts';

/** Where to find rows that the database can't give. */
export type Instead = () => Promise<readonly never[] | null>;

export interface Runtime {
  /** Null when nothing is shared with other nodes. */
  readonly shared: Shared | null;
  /** Milliseconds since 1970. */
  now(): number;
  /** A turn of this actor that has not happened yet; `edge` is that of the asking session. */
  turn(cell: Cell, asker: Asker, params: Params | null, edge?: number): Turn;
  /** The turn has ended well: its writes go to the next commit, what it sends waits for that. */
  finish(cell: Cell, turn: Turn, bytes: number): void;
  /** Sends a message of a stream to all its subscribers, once all that the actor has written is committed. */
  publish(cell: Cell, message: PublishMessage): void;
  /**
   * Sends to one edge, once all that the actor has written up to now is committed. When that is lost, `undo` takes back
   * what was noted for it.
   */
  emit(cell: Cell, edge: number, message: ToEdgeMessage, bytes?: number, undo?: () => void): void;
  /** Sends a subscription's start; when it is live, the edge hears of every later message of the destination. */
  emitStart(cell: Cell, edge: number, destination: string, start: SubscribedMessage, bytes: number): void;
  /**
   * Reads rows for an item while those behind it wait; the actor's earlier writes are in what is read. When the
   * actor had to be loaded again meanwhile, the item is taken from the start.
   *
   * @param instead asked for rows when they can't be read; null has none either. Never rejects.
   */
  hold(cell: Cell, item: Item, query: Query, then: (rows: readonly never[]) => void, instead?: Instead): void;
  /** As `hold`, at once: what the actor wrote lately may be missing. */
  peek(cell: Cell, item: Item, query: Query, then: (rows: readonly never[]) => void): void;
  /** Reads what the actor remembers of the commands that it has applied, as `hold` reads rows. */
  remember(cell: Cell, item: Item, then: () => void): void;
  /** Whether all that the actor wrote is committed. */
  isSettled(cell: Cell): boolean;
  /** Something that nobody waits for: its turn comes when those before it have had theirs. */
  deliver(cell: Cell, item: Silent): void;
  /** Whether the edge of that number is there. */
  isThere(edge: number): boolean;
  /**
   * Whether consumers are given anything: every edge has said what its own hold, so that none of it goes to others, and
   * the node does not drain.
   */
  readonly handsOut: boolean;
  /** Loads the actor again and then takes the item from the start. */
  reload(cell: Cell, item: Item): void;
}
