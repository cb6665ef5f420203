// The few bytes that every message carries: when it was due to be sent. Found again without parsing the message.

const marker = Buffer.from('@@');
const digits = 10;

/** Length of a stamp in a message. */
export const stampBytes = marker.length + digits;

/** `stampUs`, whole microseconds since the run's beginning (up to 2.7 hours), as fixed-width text. */
export function stampText(stampUs: number): string {
  return `@@${String(stampUs).padStart(digits, '0')}`;
}

/** Reads the stamp of messages that mostly look alike: tries first where the last one had it. */
export class StampReader {
  #offset = 0;

  /** Microseconds of the stamp in `bytes[start, end)`, or -1 when there is none. */
  read(bytes: Buffer, start: number, end: number): number {
    let at = start + this.#offset;
    if (bytes[at] !== 0x40 || bytes[at + 1] !== 0x40 || at + stampBytes > end) {
      at = bytes.indexOf(marker, start);
      if (at < 0 || at + stampBytes > end) {
        return -1;
      }
      this.#offset = at - start;
    }
    let stampUs = 0;
    for (let index = at + marker.length; index < at + stampBytes; index++) {
      stampUs = stampUs * 10 + (bytes[index] ?? 0) - 0x30;
    }
    return stampUs;
  }
}
