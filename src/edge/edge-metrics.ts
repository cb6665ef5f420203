// What an edge counts.
import { httpStatus, type ErrorCode } from '../errors.ts';
import { counter, countsAlone, gauge, labelled, type CountsOf } from '../lib/metrics.ts';
import { CloseCode } from './connection.ts';

const codes = Object.keys(httpStatus) as ErrorCode[];
const statuses = [
  '200',
  '201',
  '204',
  '400',
  '401',
  '403',
  '404',
  '405',
  '409',
  '413',
  '429',
  '500',
  '503',
] as const;
const closings = Object.keys(CloseCode) as (keyof typeof CloseCode)[];

export const edgeMetrics = {
  connections: gauge('stagewire_connections', 'Client connections that are open.'),
  sessionsOpened: counter('stagewire_sessions_opened_total', 'Sessions that signed in.'),
  sessionsEnded: labelled(
    'stagewire_sessions_ended_total',
    'Sessions that ended after they had signed in, by why: lost when the connection went away, else the meaning ' +
      'of the close code.',
    ['reason', ['lost', ...closings]],
  ),
  connectionsRefused: counter(
    'stagewire_connections_refused_total',
    'Connections that ended before they had signed in.',
  ),
  framesIn: counter('stagewire_received_frames_total', 'Frames received.'),
  bytesIn: counter(
    'stagewire_received_bytes_total',
    'Bytes received over WebSocket, without its own framing.',
  ),
  framesOut: counter('stagewire_sent_frames_total', 'Frames and heart-beats handed to client connections.'),
  bytesOut: counter('stagewire_sent_bytes_total', 'Bytes of those, without WebSocket framing.'),
  deliveries: counter('stagewire_deliveries_total', 'MESSAGE frames handed to subscriptions.'),
  receipts: counter('stagewire_receipts_total', 'RECEIPT frames sent.'),
  framesRefused: labelled(
    'stagewire_refused_frames_total',
    'Frames whose sender was refused, by the code of the refusal.',
    ['code', codes],
  ),
  commands: labelled(
    'stagewire_commands_total',
    'Commands asked of actors, by clients and over REST, by outcome: ok or the code of the refusal.',
    ['outcome', ['ok', ...codes]],
  ),
  linkRefusals: counter(
    'stagewire_link_full_refusals_total',
    'Commands and subscriptions refused because too much waits to cross to a shard.',
  ),
  responses: labelled('stagewire_http_responses_total', 'HTTP responses, by status.', [
    'status',
    [...statuses, 'other'],
  ]),
} as const;

export type EdgeCounts = CountsOf<typeof edgeMetrics>;

export const edgeCountsAlone = (): EdgeCounts => countsAlone(edgeMetrics);

/** The label of a session's end. */
export function endReasonOf(closeCode: number | null): keyof EdgeCounts['sessionsEnded'] {
  return closings.find((name) => CloseCode[name] === closeCode) ?? 'lost';
}

/** The label of an HTTP status. */
export function statusLabel(status: number): keyof EdgeCounts['responses'] {
  return statuses.find((label) => label === String(status)) ?? 'other';
}
