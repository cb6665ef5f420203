// Exact decimals: how they are read from JSON, and the little arithmetic that prices need. The only place that knows
// the library. Decimals are texts everywhere else: no double holds 0.1, and sums of doubles drift.
import { Big } from 'big.js';

/** Digits of a JSON number, leading and trailing zeros too: any decimal of so many comes out of a double as it went in. */
export const numberDigitsMax = 15;

const fractionDigitsMax = 12;
/** At most 20 digits before the point and 12 after it, not negative. */
export const decimalPattern = /^(?:0|[1-9]\d{0,19})(?:\.\d{1,12})?$/;

/** A constructor of our own: its settings are shared with nobody. Half up, away from zero, as banks and Java do. */
const Decimal = Big();
Decimal.RM = 1;
/** Decimals of a quotient. */
Decimal.DP = 4;

/**
 * The decimal that a value of parsed JSON stands for, not negative, as plain text; a text stays as it is, zeros at its
 * end too. Null when it is none or has too many digits. Numbers must come from `exactNumbers`.
 */
export function decimalOf(value: unknown): string | null {
  if (typeof value === 'string') return decimalPattern.test(value) ? value : null;
  if (typeof value !== 'number') return null;
  let text = String(value);
  // String writes small numbers with an exponent.
  if (value > 0 && value < 1e-6) text = value.toFixed(fractionDigitsMax).replace(/0+$/, '');
  return decimalPattern.test(text) && Number(text) === value ? text : null;
}

const suspect = /\d[\d.]{15}|\d[eE]/;
const stringOrNumber = /"(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*/g;

function isExact(number: string): boolean {
  return !/[eE]/.test(number) && number.replaceAll(/\D/g, '').length <= numberDigitsMax;
}

/**
 * JSON without the numbers that `JSON.parse` might round without a word: null stands where one had an exponent or more
 * digits than a double can be trusted with.
 *
 * @param json well-formed JSON, as long as it may be: the time is linear.
 */
export function exactNumbers(json: string): string {
  if (!suspect.test(json)) return json;
  return json.replaceAll(stringOrNumber, (token) =>
    token.startsWith('"') || isExact(token) ? token : 'null',
  );
}

export function sum(one: string, other: string): string {
  return new Decimal(one).plus(other).toFixed();
}

export function difference(one: string, other: string): string {
  return new Decimal(one).minus(other).toFixed();
}

export function product(one: string, other: string): string {
  return new Decimal(one).times(other).toFixed();
}

/**
 * How far it is from one to the other: exactly, and in percent of the first, rounded to 4 decimals; 0 percent when the
 * first is 0.
 */
export function changeOf(before: string, after: string): readonly [change: string, percent: string] {
  if (before === after) return ['0', '0'];
  const from = new Decimal(before);
  const change = new Decimal(after).minus(from);
  // Multiplied first, so that the division is the only step that rounds.
  const percent = from.eq(0) ? '0' : change.times(100).div(from).toFixed();
  return [change.toFixed(), percent];
}
