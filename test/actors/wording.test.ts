// What is wrong with a body, in words.
import { expect, test } from 'vitest';
import { z } from 'zod';
import { json, optional } from '../../src/actors/body.ts';

const decode = json(
  z
    .object({
      content: z.string().min(1).max(5),
      name: z.string().min(2).regex(/^a/, 'must begin with a').optional(),
      count: z.number().int().min(0).max(5).optional(),
      urgent: optional(z.boolean(), false),
      role: z.enum(['MEMBER', 'ADMIN']).optional(),
      at: z.iso.datetime({ offset: true }).optional(),
      list: z
        .array(z.object({ symbol: z.string() }))
        .max(1)
        .optional(),
    })
    .refine(({ count }) => count !== 3, 'Three is too many.'),
);

test.each<[unknown, string]>([
  [{}, 'content: is missing'],
  [{ content: '' }, 'content: must not be empty'],
  [{ content: 3 }, 'content: must be a text'],
  [{ content: 'too long' }, 'content: must have at most 5 characters'],
  [{ content: 'x', name: 'a' }, 'name: must have at least 2 characters'],
  [{ content: 'x', name: 'ba' }, 'name: must begin with a'],
  [{ content: 'x', count: '1' }, 'count: must be a number'],
  [{ content: 'x', count: 1.5 }, 'count: must be a whole number'],
  [{ content: 'x', count: -1 }, 'count: must be at least 0'],
  [{ content: 'x', count: 6 }, 'count: must be at most 5'],
  [{ content: 'x', count: 3 }, 'Three is too many.'],
  [{ content: 'x', urgent: 'yes' }, 'urgent: must be true or false'],
  [{ content: 'x', role: 'KING' }, 'role: must be MEMBER or ADMIN'],
  [{ content: 'x', at: 'tomorrow' }, 'at: must be a time such as 2030-01-31T12:00:00Z'],
  [{ content: 'x', list: {} }, 'list: must be a list'],
  [{ content: 'x', list: [{}] }, 'list.0.symbol: is missing'],
  [{ content: 'x', list: [{ symbol: 'A' }, { symbol: 'B' }] }, 'list: must have at most 1 entries'],
  [[], 'The body must be an object'],
  [null, 'The body must be an object'],
])('[ACTOR19] %j: %s', (body, words) => {
  const bytes = Buffer.from(JSON.stringify(body));
  expect(() => decode({ bytes, isText: true, headers: null })).toThrow(
    expect.objectContaining({ message: words }),
  );
});
