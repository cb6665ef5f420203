// Decimals are exact: arithmetic against whole numbers of any size, reading against what was written.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { changeOf, decimalOf, difference, exactNumbers, product, sum } from '../../src/lib/decimal.ts';

const decimal = fc
  .tuple(fc.bigInt(0n, 10n ** 20n - 1n), fc.nat({ max: 12 }), fc.bigInt(0n, 10n ** 12n - 1n))
  .map(([whole, digits, rest]) =>
    digits === 0 ? `${whole}` : `${whole}.${String(rest).padStart(12, '0').slice(0, digits)}`,
  );

/** As a whole number of 10^-digits. */
function scaled(text: string, digits: number): bigint {
  const [, sign = '', whole = '', rest = ''] = /^(-?)(\d+)(?:\.(\d+))?$/.exec(text) ?? [];
  expect(rest.length).toBeLessThanOrEqual(digits);
  return BigInt(`${sign}${whole}${rest.padEnd(digits, '0')}`);
}

describe('arithmetic', () => {
  test('[DECIMAL1] sums, differences and products are exact', () => {
    fc.assert(
      fc.property(decimal, decimal, (one, other) => {
        expect(scaled(sum(one, other), 12)).toBe(scaled(one, 12) + scaled(other, 12));
        expect(scaled(difference(one, other), 12)).toBe(scaled(one, 12) - scaled(other, 12));
        expect(scaled(product(one, other), 24)).toBe(scaled(one, 12) * scaled(other, 12));
      }),
    );
    expect(sum('0.1', '0.2')).toBe('0.3');
    expect(difference('1.50', '1.5')).toBe('0');
    expect(difference('0.000000000001', '1')).toBe('-0.999999999999');
  });

  test('[DECIMAL2] a change is exact, its percentage has 4 decimals, rounded half up, away from zero', () => {
    fc.assert(
      fc.property(decimal, decimal, (before, after) => {
        const [change, percent] = changeOf(before, after);
        const whole = scaled(before, 12);
        const part = scaled(after, 12) - whole;
        expect(scaled(change, 12)).toBe(part);
        const [size, sign] = part < 0n ? [-part, -1n] : [part, 1n];
        // Half up is: twice the quotient, plus one, halved and cut.
        const rounded = whole === 0n ? 0n : (size * 100n * 10_000n * 2n + whole) / (2n * whole);
        expect(scaled(percent, 4)).toBe(sign * rounded);
      }),
    );
    expect(changeOf('100', '100.00005')).toEqual(['0.00005', '0.0001']);
    expect(changeOf('100', '99.99995')).toEqual(['-0.00005', '-0.0001']);
    expect(changeOf('100', '99.99996')).toEqual(['-0.00004', '0']);
    expect(changeOf('3', '4')).toEqual(['1', '33.3333']);
    expect(changeOf('3', '5.00')).toEqual(['2', '66.6667']);
    expect(changeOf('0', '5')).toEqual(['5', '0']);
    expect(changeOf('1.0', '1')).toEqual(['0', '0']);
    expect(changeOf('1.00', '1.00')).toEqual(['0', '0']);
  });
});

describe('reading', () => {
  const read = (json: string): string | null => decimalOf(JSON.parse(exactNumbers(json)));

  test('[DECIMAL3] a text stays as it is written', () => {
    fc.assert(
      fc.property(decimal, (text) => {
        expect(read(JSON.stringify(text))).toBe(text);
      }),
    );
    expect(read('"1.50"')).toBe('1.50');
  });

  test('[DECIMAL4] a number is what was written, or nothing', () => {
    const number = fc
      .tuple(fc.nat({ max: 2 ** 31 - 1 }), fc.nat({ max: 2 ** 31 - 1 }), fc.nat({ max: 14 }))
      .map(([one, other, digits]) => {
        const all = `${one}${other}`.padStart(16, '0');
        return `${BigInt(all.slice(0, -digits - 1))}.${all.slice(-digits - 1)}`;
      });
    fc.assert(
      fc.property(number, (text) => {
        const found = read(text);
        const digits = text.length - 1;
        const plain = text.replace(/\.?0+$/, '');
        const decimals = plain.includes('.') ? plain.length - plain.indexOf('.') - 1 : 0;
        expect(found).toBe(digits > 15 || decimals > 12 ? null : plain);
      }),
    );
    expect(read('0.000000000001')).toBe('0.000000000001');
    expect(read('0.0000001')).toBe('0.0000001');
    expect(read('999999999999999')).toBe('999999999999999');
  });

  test.each([
    '0.1000000000000000055',
    '9007199254740993',
    '100000000000000000000',
    '1e2',
    '1E2',
    '1.5e-3',
    '-1',
    '-0.1',
    '"-1"',
    '"+1"',
    '"1."',
    '".5"',
    '"01"',
    '"1e2"',
    '"1 "',
    '""',
    '"NaN"',
    '"Infinity"',
    '"0x10"',
    '"١"',
    '"1,5"',
    '"100000000000000000000"',
    '"0.0000000000001"',
    '"1\\n"',
    'null',
    'true',
    '[1]',
    '{}',
  ])('[DECIMAL4] is no decimal: %s', (json) => {
    expect(read(json)).toBeNull();
  });

  test('[DECIMAL4] texts that look like numbers stay, and nothing takes long', () => {
    const json = '{"a":"1e5 12345678901234567890","b\\"":1e5,"c":[12345678901234567,-1,"\\\\"],"d":0.5}';
    expect(exactNumbers(json)).toBe(
      '{"a":"1e5 12345678901234567890","b\\"":null,"c":[null,-1,"\\\\"],"d":0.5}',
    );
    const long = JSON.stringify(['x'.repeat(4_000_000), '\\"'.repeat(2_000_000), '1'.repeat(4_000_000)]);
    expect(exactNumbers(long)).toBe(long);
    fc.assert(
      fc.property(fc.json(), (some) => {
        const exact = exactNumbers(some);
        expect(() => JSON.parse(exact) as unknown).not.toThrow();
      }),
    );
  });
});
