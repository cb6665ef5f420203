// Whole numbers read where they lie, without making a text of them first.

/** The whole number whose digits begin at `at`; 0 when there are none. */
export function numberAt(bytes: Buffer, at: number): number {
  let number = 0;
  for (let index = at; ; index++) {
    const digit = (bytes[index] ?? 0) - 0x30;
    if (digit < 0 || digit > 9) {
      return number;
    }
    number = number * 10 + digit;
  }
}
