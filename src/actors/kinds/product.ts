// Products: one actor each, so that every change is made on the quantity that the one before has left.
import { Refusal } from '../../errors.ts';
import type { ProductRow } from '../../storage/tables.ts';
import { command, defineActor, type Context } from '../actor.ts';
import { isoTime, json, nothing } from '../body.ts';
import {
  changesStream,
  productAnswer,
  productView,
  putProductBody,
  quantityMax,
  updateProductBody,
  urgentStream,
  type Change,
} from './inventory-views.ts';

const idCharactersMax = 64;
const decodeUpdateProduct = json(updateProductBody);
const decodePutProduct = json(putProductBody);

interface Product {
  /** Null while there is no such product. */
  row: ProductRow | null;
}

function existing(state: Product, ctx: Context): ProductRow {
  if (!state.row) throw new Refusal('NOT_FOUND', `There is no product ${ctx.id}.`);
  return state.row;
}

/** Throws for a name that could not be written as one segment of a destination. */
function refuseOddId(id: string): void {
  if (id.length <= idCharactersMax && /^[^\p{Cc}/]+$/u.test(id)) return;
  const text = `A product id has 1 to ${idCharactersMax} characters, no slash and no control character.`;
  throw new Refusal('BAD_REQUEST', text);
}

interface NewValues {
  readonly quantity: number;
  readonly name?: string | undefined;
  readonly urgent: boolean;
}

/** The product and the word of its change are one transaction: neither is ever there without the other. */
function change(state: Product, { quantity: left, name, urgent }: NewValues, ctx: Context): ProductRow {
  const row: ProductRow = {
    product_id: ctx.id,
    name: name ?? state.row?.name ?? null,
    // JSON can spell a negative zero.
    quantity: left + 0,
    version: (state.row?.version ?? 0) + 1,
    updated_at: ctx.now,
  };
  state.row = row;
  ctx.write({ op: 'upsert', table: 'products', row });
  const { product_id, version } = row;
  const said: Change = { product_id, quantity: row.quantity, urgent, version, created_at: ctx.now };
  append('changes', changesStream, said, ctx);
  if (urgent) append('urgent', urgentStream, said, ctx);
  ctx.send('inventory', '', 'trim', null);
  return row;
}

function append(target: string, stream: string, said: Change, ctx: Context): void {
  // The store counts.
  const row = { ...said, stream, seq: 0 };
  ctx.write({ op: 'append', table: 'inventory_changes', stream, epoch: ctx.newEpoch(), row });
  ctx.feed('inventory', '', target);
}

export const productKind = defineActor({
  name: 'product',

  load: (id) => ({ product: { name: 'product', args: { productId: id } } }),

  start: (_id, rows): Product => ({ row: rows.product[0] ?? null }),

  // Over REST too: a refused change has one form, whichever way it came.
  refusalDetail: (id, now) => ({ productId: id, timestamp: isoTime(now) }),

  streams: {},

  commands: {
    update: command({
      routes: ['SEND /app/inventory.update/{id}'],
      roles: ['service'],
      decode: decodeUpdateProduct,
      idempotencyKey: (body) => body.idempotencyKey,
      receive(state: Product, body, ctx) {
        refuseOddId(ctx.id);
        if (body.quantity !== undefined) {
          change(state, { quantity: body.quantity, urgent: body.urgent }, ctx);
          return;
        }
        const before = existing(state, ctx).quantity;
        const left = before + (body.delta ?? 0);
        if (left < 0) throw new Refusal('CONFLICT', `Product ${ctx.id} has ${before} left.`);
        if (left > quantityMax) throw new Refusal('CONFLICT', `No quantity is above ${quantityMax}.`);
        change(state, { quantity: left, urgent: body.urgent }, ctx);
      },
    }),

    get: command({
      routes: ['GET /api/inventory/{id}'],
      about: 'One product.',
      answer: productAnswer,
      decode: nothing,
      receive(state: Product, _body, ctx) {
        ctx.reply(productView(existing(state, ctx)));
      },
    }),

    put: command({
      routes: ['PUT /api/inventory/{id}'],
      roles: ['service'],
      about:
        'Sets the quantity of a product, and its name when one is given; makes the product when it is new.',
      answer: productAnswer,
      decode: decodePutProduct,
      receive(state: Product, body, ctx) {
        refuseOddId(ctx.id);
        ctx.reply(productView(change(state, { ...body, urgent: false }, ctx)));
      },
    }),
  },
});
