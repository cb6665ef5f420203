// One turn of one actor: collects what its kind asks for, and makes it into messages when the turn has ended well.
import {
  ToEdge,
  ToShard,
  type Asker,
  type Params,
  type ToEdgeMessage,
  type ToPeerMessage,
} from '../link/messages.ts';
import type { SharedChange } from '../storage/shared.ts';
import type { Write } from '../storage/storage.ts';
import type { AnyKind, Context, Delivery, KindSettings, PublishOptions, Source, Stream } from './actor.ts';
import type { Attachments } from './attachments.ts';
import { jsonBody, type Body } from './body.ts';
import { actorKey, toSegment } from './route.ts';
import type { Kept } from './snapshot-store.ts';

/** Something a turn sends: to one edge, to all that have subscribers of a destination, to another actor, or to other nodes. */
export type Output =
  | {
      readonly to: { readonly edge: number };
      readonly message: ToEdgeMessage;
      readonly bytes: number;
      /** Takes back what was noted for it, when it is lost. */
      readonly undo?: (() => void) | undefined;
    }
  | {
      readonly to: { readonly destination: string; readonly plain: boolean; readonly actor: string };
      readonly message: ToEdgeMessage;
      readonly bytes: number;
    }
  | { readonly to: 'peer'; readonly message: ToPeerMessage; readonly bytes: number }
  | { readonly to: 'nodes'; readonly message: SharedChange }
  | { readonly to: 'snapshots'; readonly kept: Kept };

/** `/topic/room.{id}.events` with the values in their places. */
export function fillDestination(template: string, id: string, params: Params): string {
  let words = templates.get(template);
  if (!words) templates.set(template, (words = template.split(/\{(\w+)(?::\*\*)?\}/)));
  let destination = '';
  // Text and names of placeholders take turns.
  for (let index = 0; index < words.length; index += 1) {
    const word = words[index] as string;
    if (index % 2 === 0) destination += word;
    else if (word !== 'id') destination += params[word] ?? '';
    else destination += template.startsWith('/user/') ? toSegment(id) : id;
  }
  return destination;
}

/** Templates of the kinds' streams, taken apart. */
const templates = new Map<string, readonly string[]>();
const noParams: Params = {};
const noSessions: ReadonlyMap<string, string> = new Map();

export interface TurnOptions {
  readonly kind: AnyKind;
  readonly actor: string;
  readonly id: string;
  readonly state: unknown;
  readonly asker: Asker;
  /** The edge of the asking session; 0 for none. */
  readonly edge: number;
  readonly params: Params | null;
  readonly source: Source;
  readonly attachments: Attachments | null;
  /** Whether there is anybody to share with. */
  readonly shares: boolean;
  /** Whether a destination of the actor has subscribers. */
  readonly isHeard: (destination: string) => boolean;
}

export class Turn implements Context {
  readonly id: string;
  readonly user: string;
  readonly roles: readonly string[];
  readonly session: string;
  readonly params: Params;
  readonly now: number;
  readonly edge: number;
  readonly writes: Write[] = [];
  readonly outputs: Output[] = [];
  readonly timers: { delayMs: number; name: string }[] = [];
  /** For consumers, in order; made with the first. */
  deliveries: Delivery[] | null = null;
  answer: Body | null = null;
  cursor: string | null = null;
  /** What becomes of the tie between the asking session and the actor. */
  tie: 'attach' | 'detach' | null = null;
  readonly #options: TurnOptions;

  constructor(options: TurnOptions) {
    this.#options = options;
    this.id = options.id;
    this.user = options.asker[0];
    this.roles = options.asker[1];
    this.session = options.asker[2] ?? '';
    this.params = options.params ?? noParams;
    this.now = options.source.now;
    this.edge = options.edge;
  }

  get attached(): ReadonlyMap<string, string> {
    return this.#options.attachments?.users() ?? noSessions;
  }

  get settings(): KindSettings {
    return this.#options.source.settings;
  }

  newId(): string {
    return this.#options.source.newId();
  }

  newEpoch(): string {
    return this.#options.source.newEpoch();
  }

  write(write: Write): void {
    this.writes.push(write);
  }

  reply(value: unknown): void {
    this.answer = jsonBody(value);
  }

  publish(stream: string, body: Body, options: PublishOptions = {}): void {
    const { state, actor, id } = this.#options;
    const definition = this.#stream(stream);
    const destination = fillDestination(definition.destination, id, options.params ?? noParams);
    const epoch = options.seq === undefined ? null : (definition.log?.head(state as never).epoch ?? null);
    const plain = definition.plain === true;
    this.outputs.push({
      to: { destination, plain, actor },
      message: [
        ToEdge.publish,
        destination,
        epoch,
        [options.seq ?? 0, options.headers ?? null, body.bytes, body.isText],
        plain,
      ],
      bytes: body.bytes.length,
    });
  }

  revoke(stream: string, user: string): void {
    const { actor, id } = this.#options;
    const destination = fillDestination(this.#stream(stream).destination, id, noParams);
    this.outputs.push({
      to: { destination, plain: false, actor },
      message: [ToEdge.revoke, destination, user],
      bytes: 0,
    });
  }

  after(delayMs: number, name: string): void {
    if (!this.#options.kind.timers?.[name]) throw new RangeError(`no timer ${name}`);
    this.timers.push({ delayMs, name });
  }

  send(kind: string, id: string, command: string, body: unknown): void {
    const { bytes } = jsonBody(body);
    const message = [ToShard.tell, actorKey(kind, id), command, bytes] as const;
    this.outputs.push({ to: 'peer', message, bytes: bytes.length });
  }

  deliver(delivery: Delivery): void {
    (this.deliveries ??= []).push(delivery);
  }

  push(user: string, queue: string, { bytes, isText }: Body): void {
    const destination = `/user/${toSegment(user)}/queue/${queue}`;
    const message = [ToShard.relay, actorKey('user', user), destination, [0, null, bytes, isText]] as const;
    this.outputs.push({ to: 'peer', message, bytes: bytes.length });
  }

  feed(kind: string, id: string, stream: string): void {
    this.outputs.push({ to: 'peer', message: [ToShard.feed, actorKey(kind, id), stream], bytes: 0 });
  }

  share(message: SharedChange): void {
    if (this.#options.shares) this.outputs.push({ to: 'nodes', message });
  }

  attach(): void {
    if (this.session !== '') this.tie = 'attach';
  }

  detach(): void {
    if (this.session !== '') this.tie = 'detach';
  }

  hasSubscribers(stream: string, params: Params = noParams): boolean {
    const { id, isHeard } = this.#options;
    return isHeard(fillDestination(this.#stream(stream).destination, id, params));
  }

  more(cursor: string): void {
    this.cursor = cursor;
  }

  #stream(name: string): Stream<never> {
    const { kind } = this.#options;
    const definition = kind.streams[name];
    if (!definition) throw new RangeError(`kind ${kind.name} has no stream ${name}`);
    return definition;
  }
}
