// Faults of a bad network at random points: where they strike and how is drawn from a seed.
import type { Chance } from '../../bench/lib/chance.ts';
import { systemClock } from '../../src/lib/clock.ts';
import type { BadNetwork, Line } from './bad-network.ts';
import type { Flow } from './flow.ts';

/** Where a fault has struck. */
interface Struck {
  readonly network: BadNetwork;
  readonly line: Line;
  /** The direction that was drawn, and the other. */
  readonly flow: Flow;
  readonly back: Flow;
  readonly chance: Chance;
}

type Fault = (struck: Struck) => Promise<void> | void;

/** Pieces that pass elsewhere while something is held or delayed. */
const pauseMax = 80;

const pause = ({ network, line, chance }: Struck): Promise<void> => {
  const isOver = network.moment(chance.below(pauseMax));
  return network.until(() => line.isClosed || isOver(), 'enough passes elsewhere');
};
const hold = ({ flow, back, chance }: Struck): void => {
  flow.hold();
  if (chance.below(2) === 0) back.hold();
};

/** Each as often as the others; the flow is held within the bytes that were passing. */
const faults: Readonly<Record<string, Fault>> = {
  reset: ({ line }) => line.reset(),
  end: ({ line }) => line.end(),
  /** The server takes the connection for well until heart-beats are missed. */
  'reset that the server does not see': ({ line }) => line.strand(),
  'half-close'({ line, flow }) {
    flow.endHalf();
    line.heal();
  },
  async delay(struck) {
    struck.line.heal();
    struck.flow.delay(1 + struck.chance.below(40));
    await pause(struck);
    struck.line.heal();
  },
  async 'stall, then go on'(struck) {
    hold(struck);
    await pause(struck);
    struck.line.heal();
  },
  async 'stall, then cut'(struck) {
    hold(struck);
    await pause(struck);
    struck.line.reset();
  },
  /** Until a side finds out by itself: by heart-beats that do not come, where there are such. */
  async 'stall until it is noticed'(struck) {
    const { line, network } = struck;
    hold(struck);
    let isOver = false;
    const end = systemClock.after(noticedWithinMs, () => {
      isOver = true;
      network.changed();
    });
    await network.until(() => line.isLeft || isOver, 'a side finds out');
    end.cancel();
    line.reset();
  },
  /** The client can't know whether what it sent was done. */
  async 'the answer is lost'({ network, line }) {
    line.heal();
    line.toClient.lose();
    const sent = line.toServer.passed + 20;
    await network.until(() => line.isClosed || line.toServer.passed > sent, 'the client sends');
    const answered = line.toClient.passed;
    await network.until(() => line.isClosed || line.toClient.passed > answered, 'the server answers');
    line.reset();
  },
  'refuse the next': ({ network, line, chance }) => {
    network.refuse(1 + chance.below(3));
    line.reset();
  },
  /** What follows a loss is lost too: within the handshake, the sign-in, or when subscriptions start again. */
  async 'again while it comes back'({ network, line, chance }) {
    const before = new Set(network.lines);
    line.reset();
    const isNew = (one: Line): boolean => !before.has(one);
    await network.until(() => network.lines.some(isNew), 'somebody comes back');
    const next = network.lines.find(isNew);
    if (!next) return;
    const flow = chance.below(2) === 0 ? next.toServer : next.toClient;
    flow.after(chance.below(1_500), () => next.reset());
  },
};

const names = Object.keys(faults);
/** Faults that wait for their moment at once, so that an idle line keeps up no other. */
const lanes = 5;
/** Of a stall that lasts until it is noticed there are only so many: each takes seconds. */
const noticedMax = 8;
/** Some lines have no heart-beats: those of requests. */
const noticedWithinMs = 5_000;
const bytesMax = 1_500;

/** @returns how often each fault has struck. */
export async function strike(
  network: BadNetwork,
  chance: Chance,
  count: number,
): Promise<Map<string, number>> {
  const struck = new Map<string, number>();
  const busy = new Set<Line>();
  let left = count;
  const one = async (): Promise<void> => {
    const free = (): Line[] => network.lines.filter((line) => !line.isLeft && !busy.has(line));
    while (free().length === 0) await network.until(() => free().length > 0, 'a line is there');
    const lines = free();
    const line = lines[chance.below(lines.length)] as Line;
    busy.add(line);
    const [flow, back] =
      chance.below(2) === 0 ? [line.toServer, line.toClient] : [line.toClient, line.toServer];
    let isThere = false;
    flow.after(chance.below(bytesMax), () => {
      flow.hold();
      isThere = true;
      network.changed();
    });
    // What says little is struck too, when enough was said elsewhere.
    const isDue = network.moment(pauseMax);
    await network.until(() => line.isClosed || isThere || isDue(), 'the place of a fault comes');
    if (!line.isClosed && left > 0) {
      left -= 1;
      let name = names[chance.below(names.length)] as string;
      const isLong = name === 'stall until it is noticed';
      if (isLong && (struck.get(name) ?? 0) >= noticedMax) name = 'reset';
      struck.set(name, (struck.get(name) ?? 0) + 1);
      await faults[name]?.({ network, line, flow, back, chance });
    }
    busy.delete(line);
  };
  const lane = async (): Promise<void> => {
    while (left > 0) await one();
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  network.heal();
  return struck;
}
