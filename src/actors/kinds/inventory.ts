// The inventory as a whole, one actor: the streams that products append their changes to, the list of all products,
// and how much of the past is kept.
import { z } from 'zod';
import type { InventoryChangeRow } from '../../storage/tables.ts';
import { command, defineActor, type Context, type Present, type Stream } from '../actor.ts';
import { jsonBody, nothing } from '../body.ts';
import {
  changesStream,
  changeView,
  productAnswer,
  productView,
  urgentStream,
  type Change,
} from './inventory-views.ts';

const historyMessagesMax = 10_000;
/** Trimming goes in steps: one write per this many changes, not one each. */
const trimStep = 1_000;
/** More products than that are not held in memory: their list would be larger than `listBytesMax` anyhow. */
const heldProductsMax = 40_000;
/** A larger one is no message any more: clients read it in pages over REST. */
const listBytesMax = 4 * 1024 * 1024;
const pageDefault = 1_000;
const pageMax = 10_000;

interface Log {
  readonly stream: string;
  epoch: string;
  /** Whether the row that holds the epoch is written. */
  stored: boolean;
  oldest: number;
  newest: number;
}

interface Inventory {
  readonly changes: Log;
  readonly urgent: Log;
  /** The latest change of each product by its id; null when there are more than are held. */
  products: Map<string, Change> | null;
}

/** Takes a change over, unless a later one of that product is known. */
function take(
  products: Map<string, Change>,
  { product_id, quantity, urgent, version, created_at }: Change,
): void {
  if ((products.get(product_id)?.version ?? 0) > version) return;
  products.set(product_id, { product_id, quantity, urgent, version, created_at });
}

function keep(log: Log, ctx: Context): void {
  if (log.stored) return;
  log.stored = true;
  // Products make the stream with another epoch when theirs comes first; then this fails, and the actor loads that.
  ctx.write({ op: 'insert', table: 'streams', row: { stream: log.stream, epoch: log.epoch, seq: 0 } });
}

function trim(log: Log, ctx: Context): void {
  if (log.newest - log.oldest < historyMessagesMax + trimStep) return;
  log.oldest = log.newest - historyMessagesMax + 1;
  ctx.write({ op: 'trim_inventory', stream: log.stream, upto: log.oldest - 1 });
}

/** All products as one message; an empty one where that would be too large for a message. */
function listOf(products: ReadonlyMap<string, Change> | null): Present {
  const all = [...(products?.values() ?? [])].toSorted((a, b) => (a.product_id < b.product_id ? -1 : 1));
  const list = jsonBody(all.map(changeView));
  const fits = products !== null && list.bytes.length <= listBytesMax;
  return { bodies: [fits ? list : { bytes: new Uint8Array(0), isText: true }], upto: 0, isWhole: true };
}

function streamOf(name: 'changes' | 'urgent', stream: string): Stream<Inventory> {
  return {
    destination: stream,
    log: {
      head: (state) => state[name],
      after: (_id, after, limit) => ({ name: 'inventoryChangesAfter', args: { stream, after, limit } }),
      message: (row: InventoryChangeRow) => [row.seq, null, jsonBody(changeView(row)).bytes, true],
      keep: (state, ctx) => keep(state[name], ctx),
      advance(state, row: InventoryChangeRow) {
        state[name].newest = Math.max(state[name].newest, row.seq);
        if (!state.products) return;
        take(state.products, row);
        if (state.products.size > heldProductsMax) state.products = null;
      },
    },
    present(state, ctx) {
      // Whoever is told this place may resume from it.
      keep(state[name], ctx);
      return listOf(state.products);
    },
  };
}

const listParameters = z.object({
  after: z.string().optional().describe('Only products whose id comes after this one.'),
  limit: z.coerce
    .number()
    .int()
    .min(1)
    .max(pageMax)
    .optional()
    .describe(`At most so many: ${pageDefault} unless given, up to ${pageMax}.`),
});

export const inventoryKind = defineActor({
  name: 'inventory',

  load: () => ({
    changes: { name: 'inventoryHead', args: { stream: changesStream } },
    urgent: { name: 'inventoryHead', args: { stream: urgentStream } },
    products: { name: 'products', args: { after: '', limit: heldProductsMax + 1 } },
    // Products do not say whether their latest change was urgent.
    urgentChanges: {
      name: 'inventoryChangesAfter',
      args: { stream: urgentStream, after: 0, limit: 10 * historyMessagesMax },
    },
  }),

  start(_id, rows, source): Inventory {
    const logOf = (stream: string, head: (typeof rows.changes)[number] | undefined): Log =>
      head
        ? { stream, epoch: head.epoch, stored: true, oldest: Math.max(1, head.oldest), newest: head.newest }
        : { stream, epoch: source.newEpoch(), stored: false, oldest: 1, newest: 0 };
    const urgent = new Map(rows.urgentChanges.map((row) => [row.product_id, row.version]));
    const products = new Map(
      rows.products.map(({ product_id, quantity, version, updated_at }): [string, Change] => [
        product_id,
        { product_id, quantity, urgent: urgent.get(product_id) === version, version, created_at: updated_at },
      ]),
    );
    return {
      changes: logOf(changesStream, rows.changes[0]),
      urgent: logOf(urgentStream, rows.urgent[0]),
      products: products.size > heldProductsMax ? null : products,
    };
  },

  streams: { changes: streamOf('changes', changesStream), urgent: streamOf('urgent', urgentStream) },

  commands: {
    list: command({
      routes: ['GET /api/inventory'],
      about: 'Products in the order of their ids.',
      answer: z.array(productAnswer),
      decode: nothing,
      parameters: listParameters,
      query(_state: Inventory, _body, ctx) {
        const { after = '', limit = pageDefault } = listParameters.parse(ctx.params);
        return { name: 'products', args: { after, limit } };
      },
      receive(_state, _body, ctx, rows) {
        ctx.reply(rows.map(productView));
      },
    }),

    /** Asked by products with each change: only here is it known how many there are. */
    trim: command({
      routes: [],
      decode: nothing,
      receive(state: Inventory, _body, ctx) {
        trim(state.changes, ctx);
        trim(state.urgent, ctx);
      },
    }),
  },
});
