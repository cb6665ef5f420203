// The doors of all kinds, read off their definitions.
import type { AnyKind } from './actor.ts';
import { raw } from './body.ts';
import { restBodyBytesMax, type Method, type Route } from './route.ts';

const methods: ReadonlySet<string> = new Set(['SEND', 'SUBSCRIBE', 'GET', 'POST', 'PUT', 'PATCH', 'DELETE']);

/** @throws RangeError when a kind's door is not `METHOD /path`. */
function parse(kind: string, door: string): { method: Method; pattern: string } {
  const [method = '', pattern = '', ...rest] = door.split(' ');
  if (!methods.has(method) || !pattern.startsWith('/') || rest.length > 0) {
    throw new RangeError(`kind ${kind}: "${door}" is not a route; write METHOD /path`);
  }
  return { method: method as Method, pattern };
}

/** The field of the kind's refusals that holds the id. */
function subjectOf(kind: AnyKind): string | null {
  const [field] =
    Object.entries(kind.refusalDetail?.('id', 0) ?? {}).find(([, value]) => value === 'id') ?? [];
  return field ?? null;
}

/** @returns every door, in the order of the kinds. */
export function routesOf(kinds: readonly AnyKind[]): Route[] {
  return kinds.flatMap((kind) => {
    const streams = Object.entries(kind.streams).map(([target, stream]): Route => ({
      ...parse(kind.name, `SUBSCRIBE ${stream.destination}`),
      kind: kind.name,
      target,
      subject: subjectOf(kind),
      id: 'path',
      status: 200,
      plain: stream.plain === true,
      passesOn: false,
      isAnswer: false,
      isConflated: stream.conflated === true,
      isQueue: kind.consumers !== undefined,
      bodyBytesMax: restBodyBytesMax,
      takesLines: false,
    }));
    const commands = Object.entries(kind.commands).flatMap(([target, command]) =>
      command.routes.map((door): Route => ({
        ...parse(kind.name, door),
        isAnswer: door.startsWith('SUBSCRIBE '),
        isConflated: false,
        isQueue: false,
        bodyBytesMax: command.bodyBytesMax ?? restBodyBytesMax,
        takesLines: command.takesLines === true,
        kind: kind.name,
        target,
        subject: subjectOf(kind),
        id: command.id ?? 'path',
        status: command.status ?? 200,
        plain: false,
        passesOn: command.decode === raw,
      })),
    );
    return [...streams, ...commands];
  });
}

/** Names of the kinds whose actors hear of their user's sessions. */
export function sessionKindsOf(kinds: readonly AnyKind[]): string[] {
  return kinds.filter((kind) => kind.attachesSessions === true).map(({ name }) => name);
}
