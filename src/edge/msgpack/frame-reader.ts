// One frame out of one message.
import { ProtocolError, type Frame, type FrameLimits } from '../frame.ts';
import { layouts, type Layout } from './commands.ts';
import { FieldHeaders } from './field-headers.ts';
import { ValueReader } from './value-reader.ts';

const noBody = new Uint8Array(0);

/** One frame after the other. */
const reader = new ValueReader();

/**
 * Calls `onFrame` with the frame, and whether its body came as a text.
 *
 * @throws ProtocolError for whatever is no frame, or a larger one than there may be.
 */
export function readFrame(
  bytes: Uint8Array,
  limits: FrameLimits,
  onFrame: (frame: Frame, isText: boolean) => void,
): void {
  const { frameBytesMax, headerBytesMax, headersMax } = limits;
  if (bytes.length > frameBytesMax) {
    throw new ProtocolError('TOO_LARGE', `the frame is over ${frameBytesMax} bytes`);
  }
  reader.begin(bytes);
  const count = reader.array() - 1;
  const { command, types, headers: names } = layoutOf(count < 0 ? 0 : reader.number());
  if (count > types.length) throw new ProtocolError('BAD_REQUEST', `${command} has too many elements`);
  const values: (string | undefined)[] = [];
  let body: Uint8Array = noBody;
  let isText = false;
  let others: Map<string, string> | null = null;
  for (let place = 0; place < count; place++) {
    let value: string | undefined;
    if (!reader.nil()) {
      const type = types[place];
      if (type === 'body') {
        isText = reader.isAtText;
        body = reader.body();
      } else if (type === 'headers') others = reader.headers(names, headersMax);
      else if (type === 'text') value = reader.text();
      else value = type === 'name' ? reader.name() : String(reader.number());
    }
    values.push(value);
  }
  if (!reader.isAtEnd) throw new ProtocolError('BAD_REQUEST', 'something follows the array');
  if (bytes.length - body.length > headerBytesMax) {
    throw new ProtocolError('TOO_LARGE', `all but the body is over ${headerBytesMax} bytes`);
  }
  onFrame({ command, headers: new FieldHeaders(names, values, others), body }, isText);
}

function layoutOf(number: number): Layout {
  const layout = layouts[number];
  if (layout) return layout;
  throw new ProtocolError('BAD_REQUEST', `there is no command ${number}`);
}
