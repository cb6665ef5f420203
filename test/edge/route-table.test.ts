// Which actor a path is for, whatever the path.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { kinds } from '../../src/actors/kinds.ts';
import { placement } from '../../src/actors/placement.ts';
import { actorKey, fromSegment, parseActorKey, toSegment, type Method } from '../../src/actors/route.ts';
import { routesOf } from '../../src/actors/routes.ts';
import { fillDestination } from '../../src/actors/turn.ts';
import { actorOf, RouteTable } from '../../src/edge/route-table.ts';

const table = new RouteTable(routesOf(kinds));

/** Kind, target and id of the door, or null. */
function found(method: Method, path: string): unknown {
  const one = table.find(method, path);
  return one && [one.route.kind, one.route.target, one.id];
}

test('[ROUTE1] the door that spells out more is the one, whatever else would match', () => {
  expect(found('SUBSCRIBE', '/topic/room.42')).toEqual(['room', 'messages', '42']);
  expect(found('SUBSCRIBE', '/topic/room.42.events')).toEqual(['room', 'events', '42']);
  expect(found('SUBSCRIBE', '/topic/room.42.receipts')).toEqual(['room', 'receipts', '42']);
  expect(found('SUBSCRIBE', '/topic/room.4.2')).toEqual(['room', 'messages', '4.2']);
  expect(found('SUBSCRIBE', '/topic/news')).toEqual(['topic', 'messages', 'news']);
  expect(found('SUBSCRIBE', '/topic/news/today')).toEqual(['topic', 'messages', 'news/today']);
  expect(found('SUBSCRIBE', '/topic/room.')).toEqual(['topic', 'messages', 'room.']);
  expect(found('GET', '/api/rooms')).toEqual(['user', 'rooms', null]);
  expect(found('GET', '/api/rooms/42/messages')).toEqual(['room', 'history', '42']);
  expect(found('GET', '/api/rooms/42/members/7')).toBeNull();
});

test('[ROUTE1] the order of the kinds decides between doors that are alike', () => {
  const route = {
    method: 'SEND',
    id: 'path',
    status: 200,
    plain: false,
    passesOn: false,
    isAnswer: false,
    isConflated: false,
    isQueue: false,
    subject: null,
    bodyBytesMax: 1,
    takesLines: false,
    target: 't',
  } as const;
  const both = [
    { ...route, kind: 'first', pattern: '/x/{id}' },
    { ...route, kind: 'second', pattern: '/x/{id}' },
  ];
  expect(new RouteTable(both).find('SEND', '/x/1')?.route.kind).toBe('first');
  expect(new RouteTable(both.toReversed()).find('SEND', '/x/1')?.route.kind).toBe('second');
});

test('[ROUTE1] a method has its own doors, and a REST path tells which methods it has', () => {
  expect(found('GET', '/app/chat.send/1')).toBeNull();
  expect(found('SUBSCRIBE', '/app/chat.send/1')).toBeNull();
  expect(table.methodsOf('/api/rooms')).toEqual(['GET', 'POST']);
  expect(table.methodsOf('/api/rooms/1/members/2')).toEqual(['DELETE']);
  expect(table.methodsOf('/topic/a')).toEqual([]);
  expect(table.methodsOf('/')).toEqual([]);
});

test('[ROUTE2] nobody may SEND to what a domain alone writes to', () => {
  for (const path of ['/topic/room.1', '/topic/room.1.events', '/topic/room.1.receipts', '/topic/room.a.b']) {
    expect(() => table.find('SEND', path), path).toThrow(expect.objectContaining({ code: 'FORBIDDEN' }));
    // The answer that is remembered is the same.
    expect(() => table.find('SEND', path), path).toThrow(expect.objectContaining({ code: 'FORBIDDEN' }));
  }
  expect(found('SEND', '/topic/rooms')).toEqual(['topic', 'send', 'rooms']);
  expect(found('SEND', '/user/bob/queue/x')).toEqual(['user', 'send', 'bob']);
});

test("[ROUTE2] a door to an answer is nobody else's to write to, and keeps nobody from writing", () => {
  const shared = { target: 't', id: 'path', status: 200, plain: false, passesOn: false } as const;
  const more = {
    isConflated: false,
    bodyBytesMax: 1,
    takesLines: false,
    isQueue: false,
    subject: null,
  } as const;
  const doors = new RouteTable([
    { ...shared, ...more, method: 'SUBSCRIBE', pattern: '/app/x/{id}', kind: 'first', isAnswer: true },
    { ...shared, ...more, method: 'SEND', pattern: '/app/x/both', kind: 'second', isAnswer: false },
  ]);
  expect(doors.find('SEND', '/app/x/1')).toBeNull();
  expect(doors.find('SEND', '/app/x/both')?.route.kind).toBe('second');
  expect(doors.find('SUBSCRIBE', '/app/x/a%2Fb')?.id).toBe('a/b');
});

test('[ROUTE3] placeholders become parameters, and the id is apart', () => {
  expect(table.find('SEND', '/user/bob/queue/a/b')?.params).toEqual({ queue: 'a/b' });
  expect(table.find('DELETE', '/api/rooms/r1/members/bob')).toMatchObject({
    id: 'r1',
    params: { userId: 'bob' },
  });
  expect(table.find('SEND', '/app/chat.send/r1')?.params).toBeNull();
});

test('[ROUTE3] the actor is that of the id, of the asking user, or a new one', () => {
  const at = (method: Method, path: string): string => {
    const one = table.find(method, path);
    return one ? actorOf(one, 'alice', () => 'new-id') : '';
  };
  expect(at('GET', '/api/rooms/r1')).toBe('room/r1');
  expect(at('GET', '/api/rooms')).toBe('user/alice');
  expect(at('POST', '/api/rooms')).toBe('room/new-id');
});

test('[ROUTE4] a name of a user, whatever it is, comes back from its destination', () => {
  expect(toSegment('a/b')).toBe('a%2Fb');
  fc.assert(
    fc.property(fc.string({ unit: 'binary', minLength: 1, maxLength: 36 }), (user) => {
      const segment = toSegment(user);
      expect(segment).not.toContain('/');
      expect(fromSegment(segment)).toBe(user);
      const path = fillDestination('/user/{id}/queue/{queue:**}', user, { queue: 'x/y' });
      expect(table.find('SUBSCRIBE', path)).toMatchObject({ id: user, params: { queue: 'x/y' } });
    }),
  );
});

test('[ROUTE4] no two users have one segment, also those whose names look like escapes', () => {
  fc.assert(
    fc.property(fc.stringMatching(/^[a%/2F5]{1,8}$/), (user) => fromSegment(toSegment(user)) === user),
    { numRuns: 1_000 },
  );
  // What is no escape is meant as it is.
  expect(fromSegment('100%')).toBe('100%');
  expect(fromSegment('a%2fb%41')).toBe('a%2fb%41');
});

test('[ROUTE4] only the path of a REST request is decoded as a URL, and one that is none is taken as it is', () => {
  expect(found('GET', '/api/rooms/a%20b%2Fc%C3%BC')).toEqual(['room', 'get', 'a b/cü']);
  expect(found('GET', '/api/rooms/100%')).toEqual(['room', 'get', '100%']);
  expect(found('SUBSCRIBE', '/topic/a%20b')).toEqual(['topic', 'messages', 'a%20b']);
  expect(found('SUBSCRIBE', '/topic/room.a%2Fb')).toEqual(['room', 'messages', 'a%2Fb']);
});

test('[ROUTE5] any path finds the same door every time, or none, and no path takes long', () => {
  const method = fc.constantFrom<Method[]>('SEND', 'SUBSCRIBE', 'GET', 'POST', 'PUT', 'PATCH', 'DELETE');
  const part = fc.constantFrom(
    '/',
    '.',
    'topic',
    'room',
    'room.',
    '.events',
    'user',
    'queue',
    'api',
    'a',
    '%',
    '\n',
    '{id}',
    '(.*)+',
    '$',
    '^',
    '[',
    '\\',
    '😀',
    '..',
  );
  const path = fc.oneof(
    fc.array(part, { maxLength: 60, size: 'max' }).map((parts) => parts.join('')),
    fc.string(),
  );
  const ask = (which: Method, of: string): unknown => {
    try {
      return found(which, of);
    } catch (thrown) {
      return (thrown as { code?: string }).code;
    }
  };
  fc.assert(
    fc.property(method, path, (which, of) => {
      const first = ask(which, of);
      expect(ask(which, of)).toEqual(first);
      expect(first === undefined).toBe(false);
    }),
    { numRuns: 2_000 },
  );
});

test('[ROUTE5] a path over 1,024 characters has no door', () => {
  expect(found('SUBSCRIBE', `/topic/${'a'.repeat(1_017)}`)).not.toBeNull();
  expect(found('SUBSCRIBE', `/topic/${'a'.repeat(1_018)}`)).toBeNull();
  expect(found('SEND', '/'.repeat(1_000_000))).toBeNull();
});

test('[ROUTE6] what is remembered of paths is bounded, and changes no answer', () => {
  const fresh = new RouteTable(routesOf(kinds));
  const first = fresh.find('SUBSCRIBE', '/topic/first');
  // Remembered, it is the very same.
  expect(fresh.find('SUBSCRIBE', '/topic/first')).toBe(first);
  for (let index = 0; index < 25_000; index += 1) {
    expect(fresh.find('SUBSCRIBE', `/topic/t${index}`)?.id).toBe(`t${index}`);
  }
  expect(fresh.find('SUBSCRIBE', '/topic/first')).not.toBe(first);
  expect(fresh.find('SUBSCRIBE', '/topic/first')).toEqual(first);
});

test('[ROUTE7] a door that is no METHOD /path is a mistake of its kind, found at the start', () => {
  const [first] = kinds;
  const command = { routes: ['FETCH /x'], decode: () => null, receive: () => undefined };
  for (const door of ['FETCH /x', 'GET x', 'GET', 'GET /x y', '']) {
    const broken = { ...first, name: 'broken', commands: { c: { ...command, routes: [door] } } };
    expect(() => routesOf([broken as never]), door).toThrow(/kind broken: .* is not a route/);
  }
});

test('[ROUTE8] the key of an actor names its kind and its id, whatever the id holds', () => {
  fc.assert(
    fc.property(fc.stringMatching(/^[a-z]{1,10}$/), fc.string({ unit: 'binary' }), (kind, id) => {
      expect(parseActorKey(actorKey(kind, id))).toEqual({ kind, id });
    }),
  );
});

test('[ROUTE8] an actor has one shard, and keys that are alike are spread over all of them', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.integer({ min: 1, max: 64 }), (key, shards) => {
      const shard = placement(key, shards);
      expect(Number.isInteger(shard) && shard >= 0 && shard < shards).toBe(true);
      expect(placement(key, shards)).toBe(shard);
    }),
  );
  for (const shards of [2, 3, 4, 8, 16]) {
    const counts = Array.from({ length: shards }, () => 0);
    for (let index = 0; index < 8_000; index += 1) {
      const shard = placement(`room/${index}`, shards);
      counts[shard] = (counts[shard] ?? 0) + 1;
    }
    for (const count of counts) expect(Math.abs(count / (8_000 / shards) - 1)).toBeLessThan(0.2);
  }
});
