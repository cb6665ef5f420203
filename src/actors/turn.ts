// One turn of one actor: collects what its kind asks for, and makes it into messages when the turn has ended well.
import { ToEdge, type Asker, type Params, type ToEdgeMessage } from '../link/messages.ts';
import type { Write } from '../storage/storage.ts';
import type { AnyKind, Context, PublishOptions, Source } from './actor.ts';
import { jsonBody, type Body } from './body.ts';
import { toSegment } from './route.ts';

/** Something a turn sends: to one edge, or to all that have subscribers of a destination. */
export interface Output {
  readonly to:
    | { readonly edge: number }
    | { readonly destination: string; readonly plain: boolean; readonly actor: string };
  readonly message: ToEdgeMessage;
  readonly bytes: number;
  /** Takes back what was noted for it, when it is lost. */
  readonly undo?: (() => void) | undefined;
}

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

export interface TurnOptions {
  readonly kind: AnyKind;
  readonly actor: string;
  readonly id: string;
  readonly state: unknown;
  readonly asker: Asker;
  readonly params: Params | null;
  readonly source: Source;
}

export class Turn implements Context {
  readonly id: string;
  readonly user: string;
  readonly roles: readonly string[];
  readonly params: Params;
  readonly now: number;
  readonly writes: Write[] = [];
  readonly outputs: Output[] = [];
  readonly timers: { delayMs: number; name: string }[] = [];
  answer: Body | null = null;
  readonly #options: TurnOptions;

  constructor(options: TurnOptions) {
    this.#options = options;
    this.id = options.id;
    this.user = options.asker[0];
    this.roles = options.asker[1];
    this.params = options.params ?? noParams;
    this.now = options.source.now;
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
    const { kind, state, actor, id } = this.#options;
    const definition = kind.streams[stream];
    if (!definition) throw new RangeError(`kind ${kind.name} has no stream ${stream}`);
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
    const { kind, actor, id } = this.#options;
    const definition = kind.streams[stream];
    if (!definition) throw new RangeError(`kind ${kind.name} has no stream ${stream}`);
    const destination = fillDestination(definition.destination, id, noParams);
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
}
