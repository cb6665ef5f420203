// Where actors live, and who may write them: the laws of both together.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { placement, territoryOf } from '../../src/actors/placement.ts';
import { assertHolds, nextEpoch, type Claim, type OwnerRow } from '../../src/storage/claim.ts';

const keys = fc.string({ unit: 'binary' });
const named = (count: number) =>
  Array.from({ length: count }, (_, index) => `${index}`) as [string, ...string[]];

test('[ROUTE9] a key lies in one territory, and today that is all there is', () => {
  fc.assert(
    fc.property(keys, fc.integer({ min: 1, max: 64 }), (key, count) => {
      expect(territoryOf(key)).toBe('*');
      const territories = named(count);
      expect(territories).toContain(territoryOf(key, territories));
      expect(territoryOf(key, territories)).toBe(territoryOf(key, named(count)));
    }),
  );
});

test.each([
  [2, 2],
  [3, 3],
  [4, 2],
  [16, 4],
  [12, 8],
])('[ROUTE9] each of %i territories has about as many actors on each of %i shards', (count, shards) => {
  const territories = named(count);
  const placed = new Map<string, number>();
  const total = 1_000 * count * shards;
  for (let index = 0; index < total; index += 1) {
    const place = `${territoryOf(`room/${index}`, territories)} ${placement(`room/${index}`, shards)}`;
    placed.set(place, (placed.get(place) ?? 0) + 1);
  }
  expect(placed.size).toBe(count * shards);
  for (const actors of placed.values()) expect(Math.abs(actors / 1_000 - 1)).toBeLessThan(0.3);
});

test('[FENCE1] whoever claims what, in whatever order: of each territory the newest claim alone holds', () => {
  const claiming = fc.array(
    fc.record({ territory: fc.constantFrom('a', 'b', 'c'), owner: fc.constantFrom('x', 'y', 'z') }),
  );
  fc.assert(
    fc.property(claiming, (steps) => {
      const rows = new Map<string, OwnerRow>();
      const claims: Claim[] = [];
      for (const { territory, owner } of steps) {
        const epoch = nextEpoch(rows.get(territory));
        rows.set(territory, { territory, epoch, owner });
        claims.push({ territory, epoch });
      }
      for (const [index, claim] of claims.entries()) {
        const row = rows.get(claim.territory);
        const isNewest = !claims.slice(index + 1).some(({ territory }) => territory === claim.territory);
        const fenced = expect.objectContaining({ reason: 'FENCED' }) as unknown;
        if (isNewest) assertHolds(claim, row);
        else expect(() => assertHolds(claim, row)).toThrow(fenced);
        expect(() => assertHolds(claim, undefined)).toThrow(fenced);
      }
    }),
  );
});
