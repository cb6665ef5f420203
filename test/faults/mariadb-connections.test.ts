// The worst days of the network between the server and a MariaDB, with everybody at work.
import { describe, expect, test } from 'vitest';
import { everyLoad } from '../support/fault-load.ts';
import { openStage, type Stage } from '../support/fault-mariadb.ts';
import type { When } from '../support/fault-proxy.ts';
import { survive, type Fault } from '../support/fault-rounds.ts';
import { runsOwnMysql } from '../support/mariadb.ts';

const longMs = 120_000;
const cutEveryMs = 15;
const cuts = 60;
const uncertain = 12;

const isCommit = (bytes: Buffer): boolean => bytes.includes('COMMIT');

/** Connections are cut one by one, also those that were just made. */
function cutting({ proxy }: Stage): Fault {
  return {
    name: 'connections cut one by one',
    seen: 'passing',
    begin: () =>
      new Promise((resolve) => {
        let left = cuts;
        const timer = setInterval(() => {
          proxy.cutOne();
          left -= 1;
          if (left > 0) return;
          clearInterval(timer);
          resolve(undefined);
        }, cutEveryMs);
      }),
    end: async () => undefined,
  };
}

/** A connection is cut around its COMMIT, again and again. */
function cutAtCommit({ proxy }: Stage, when: When): Fault {
  return {
    name: `cut ${when} COMMIT`,
    seen: 'passing',
    async begin() {
      for (let count = 0; count < uncertain; count += 1) await proxy.cutAt(when, isCommit);
    },
    end: async () => undefined,
  };
}

function stalled({ proxy }: Stage, which: 'all' | 'standing', seen: Fault['seen']): Fault {
  return {
    name: `stalled, ${which}`,
    seen,
    begin: async () => proxy.stall(which),
    end: async () => proxy.flow(),
  };
}

function refused({ proxy }: Stage): Fault {
  return {
    name: 'unreachable',
    seen: 'told',
    async begin() {
      proxy.refuse();
      proxy.cutAll();
    },
    end: async () => proxy.admit(),
  };
}

describe.runIf(runsOwnMysql)('the way to MariaDB', () => {
  test(
    '[FAULT1] [FAULT6] [FAULT11] connections that are cut at any point, or can not be made, lose nothing',
    async () => {
      const stage = await openStage();
      const faults = [
        cutting(stage),
        cutAtCommit(stage, 'after'),
        refused(stage),
        cutAtCommit(stage, 'before'),
        cutting(stage),
      ];
      expect(await survive(stage.server, await everyLoad(stage.server), faults)).toBeGreaterThan(0);
      expect(stage.proxy.made).toBeGreaterThan(cuts);
    },
    longMs,
  );

  test(
    '[FAULT1] [FAULT6] connections that deliver nothing are waited for within bounds, then UNAVAILABLE',
    async () => {
      const stage = await openStage();
      const faults = [stalled(stage, 'all', 'waited'), stalled(stage, 'standing', 'told')];
      expect(await survive(stage.server, await everyLoad(stage.server), faults)).toBeGreaterThan(0);
    },
    longMs,
  );
});
