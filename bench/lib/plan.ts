// What the parent and its load processes say to each other: plain data that crosses as JSON.
import type { EditingProtocolName } from '../protocols/editing-table.ts';
import type { ProtocolName } from '../protocols/table.ts';
import type { PackedHistogram } from './histogram.ts';

/** How fast a run sends. */
export type Pace =
  /** At a fixed rate, whatever the server does: messages a second over all connections. */
  | { readonly kind: 'open'; readonly ratePerSecond: number }
  /** Each sender keeps `window` messages under way: until their receipt, or until all subscribers have them. */
  | { readonly kind: 'closed'; readonly window: number; readonly until: 'receipt' | 'delivered' }
  /** Everybody does it once; the run ends when all have done it, or when its window does. */
  | { readonly kind: 'once'; readonly act: 'join' | 'leave' };

/** One connection that stays: who it is, what it hears (indexes of rooms) and where it sends. */
export interface ConnectionPlan {
  readonly user: string;
  readonly subscribesTo: readonly number[];
  readonly sendsTo?: number;
}

interface PlanBase {
  /** Port of the server on 127.0.0.1. */
  readonly port: number;
  readonly secret: string;
}

interface ChatPlanBase extends PlanBase {
  readonly protocol: ProtocolName;
  /** Names of the rooms, as the server knows them. */
  readonly rooms: readonly string[];
  /** Length of a chat message's text; the targets pad to the same length on the wire. */
  readonly contentBytes: number;
}

/** Connections that stay, and messages between them. */
export interface TrafficPlan extends ChatPlanBase {
  readonly kind: 'traffic';
  readonly connections: readonly ConnectionPlan[];
  /** Whether the server is asked to answer for each message. */
  readonly receipts: boolean;
}

/** Connections that come and go: each lane does one after the other. */
export interface ChurnPlan extends ChatPlanBase {
  readonly kind: 'churn';
  readonly lanes: number;
}

/** Documents that many edit at once, each editor with one operation under way. */
export interface EditingPlan extends PlanBase {
  readonly kind: 'editing';
  readonly protocol: EditingProtocolName;
  /** Names of documents that do not exist yet. All editors of one document are in the same process. */
  readonly documents: readonly string[];
  readonly editors: number;
  /** UTF-16 units a document begins with, and about keeps. */
  readonly units: number;
}

/** Prices going in by streams and out to viewers. */
export interface MarketPlan extends PlanBase {
  readonly kind: 'market';
  readonly symbols: number;
  readonly viewers: number;
  readonly streams: number;
}

/** Users `firstUser` to `firstUser + users - 1`, who watch each other come and go. */
export interface CrowdPlan extends PlanBase {
  readonly kind: 'crowd';
  readonly firstUser: number;
  readonly users: number;
  /** How many others each user subscribes to. */
  readonly watched: number;
  /** How many others each user asks about at once when it has come. */
  readonly batch: number;
  /** Users on their way in at once. */
  readonly concurrent: number;
}

export type ChatPlan = TrafficPlan | ChurnPlan;
export type Plan = ChatPlan | EditingPlan | MarketPlan | CrowdPlan;

/** One run over what the plan has set up. Instants are microseconds of the shared clock. */
export interface RunOrder {
  readonly pace: Pace;
  readonly startUs: number;
  /** The measured window: what is due, received and used in it counts. */
  readonly fromUs: number;
  readonly untilUs: number;
}

/** Messages sent to a room, and the sum of their stamps: together they show a loss and a duplicate that cancel out. */
export interface RoomTotal {
  readonly count: number;
  readonly sumUs: number;
}

/** What one load process saw in one run. */
export interface LoadFigures {
  /** Seconds of the window as this process kept it. */
  readonly windowSeconds: number;
  /** CPU seconds this process used in the window. */
  readonly cpuSeconds: number;
  /** Messages sent, receipts, deliveries and their bytes, and whole connect cycles, in the window. */
  readonly sent: number;
  readonly receipts: number;
  readonly deliveries: number;
  readonly deliveredBytes: number;
  readonly cycles: number;
  /** Over the whole run: receipts, whether in the window or not. */
  readonly receiptsEver: number;
  /** Over the whole run: deliveries that never came, that came too often, and receipts that never came. */
  readonly lost: number;
  readonly extra: number;
  readonly receiptsMissing: number;
  /** Connections that ended when they should not have. */
  readonly closed: number;
  /** The first few refusals, in the server's words. */
  readonly refusals: readonly string[];
  /** Seconds from the last message sent to the last one awaited. */
  readonly settleSeconds: number;
  /** By name; `sendLag` is how late the load itself sent what was due. */
  readonly latencies: Readonly<Record<string, PackedHistogram>>;
  /** What one scenario alone counts: added up over the processes, and where the greatest of them is what counts. */
  readonly sums: Readonly<Record<string, number>>;
  readonly peaks: Readonly<Record<string, number>>;
  /** What makes the figures void beyond the counts above, in words. */
  readonly wrong: readonly string[];
}

export type ToLoad =
  | { readonly type: 'prepare'; readonly plan: Plan }
  | { readonly type: 'run'; readonly order: RunOrder }
  | { readonly type: 'settle'; readonly totals: readonly RoomTotal[]; readonly limitMs: number };

export type FromLoad =
  | { readonly type: 'prepared' }
  | { readonly type: 'sent'; readonly totals: readonly RoomTotal[] }
  | { readonly type: 'settled'; readonly figures: LoadFigures }
  | { readonly type: 'failed'; readonly reason: string };
