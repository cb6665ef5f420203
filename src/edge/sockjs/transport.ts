// The transports of a session: how they are asked for, and how a frame is written in each.

export type ReceivingName = 'xhr' | 'xhr_streaming' | 'eventsource' | 'htmlfile';
export type TransportName = ReceivingName | 'xhr_send' | 'websocket';

/** A transport whose response brings frames. */
export interface Receiving {
  readonly method: 'GET' | 'POST';
  readonly contentType: string;
  /** Whether one response brings many frames; else each ends with its first. */
  readonly streams: boolean;
  /** What a response starts with; `callback` is that of the request. */
  prelude(callback: string): string;
  write(frame: Uint8Array): Uint8Array;
}

const lineEnd = Buffer.from('\n');
const eventStart = Buffer.from('data: ');
const eventEnd = Buffer.from('\r\n\r\n');
/** Some browsers show nothing to the page before they have this much. */
const preludeBytes = 2048;
const pageStartBytes = 1024;

function page(callback: string): string {
  const start = `<!doctype html>
<html><head>
  <meta http-equiv="X-UA-Compatible" content="IE=edge" />
  <meta http-equiv="Content-Type" content="text/html; charset=UTF-8" />
</head><body><h2>Don't panic!</h2>
  <script>
    document.domain = document.domain;
    var c = parent.${callback};
    c.start();
    function p(d) {c.message(d);};
    window.onload = function() {c.stop();};
  </script>`;
  return `${start.padEnd(pageStartBytes)}\r\n\r\n`;
}

/** A string of JavaScript in a page: nothing in it may end the script. */
function script(frame: Uint8Array): Uint8Array {
  const text = JSON.stringify(Buffer.from(frame).toString());
  const safe = text.replaceAll(/[<>]/g, (sign) => (sign === '<' ? '\\u003c' : '\\u003e'));
  return Buffer.from(`<script>\np(${safe});\n</script>\r\n`);
}

export const receiving: Readonly<Record<ReceivingName, Receiving>> = {
  xhr: {
    method: 'POST',
    contentType: 'application/javascript; charset=UTF-8',
    streams: false,
    prelude: () => '',
    write: (frame) => Buffer.concat([frame, lineEnd]),
  },
  xhr_streaming: {
    method: 'POST',
    contentType: 'application/javascript; charset=UTF-8',
    streams: true,
    prelude: () => `${'h'.repeat(preludeBytes)}\n`,
    write: (frame) => Buffer.concat([frame, lineEnd]),
  },
  eventsource: {
    method: 'GET',
    contentType: 'text/event-stream; charset=UTF-8',
    streams: true,
    prelude: () => '\r\n',
    write: (frame) => Buffer.concat([eventStart, frame, eventEnd]),
  },
  htmlfile: {
    method: 'GET',
    contentType: 'text/html; charset=UTF-8',
    streams: true,
    prelude: page,
    write: script,
  },
};

export function isTransport(name: string): name is TransportName {
  return name === 'xhr_send' || name === 'websocket' || Object.hasOwn(receiving, name);
}

export function methodOf(transport: TransportName): 'GET' | 'POST' {
  if (transport === 'xhr_send') return 'POST';
  return transport === 'websocket' ? 'GET' : receiving[transport].method;
}
