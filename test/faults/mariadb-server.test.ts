// The worst days of a MariaDB itself, with everybody at work.
import { describe, expect, test } from 'vitest';
import { everyLoad } from '../support/fault-load.ts';
import { openStage, type Stage } from '../support/fault-mariadb.ts';
import { survive, type Fault } from '../support/fault-rounds.ts';
import { runsOwnMysql } from '../support/mariadb.ts';
import { SmallDisk } from '../support/small-disk.ts';
import { runsSmallDisks } from '../support/small-disk-right.ts';

const longMs = 120_000;
// A data folder, of which the log is made anew at the first start.
const diskBytes = 320 * 1024 * 1024;

const stopped = ({ mariadb }: Stage): Fault => ({
  name: 'stopped and started',
  seen: 'told',
  begin: () => mariadb.stop(),
  end: () => mariadb.restart(),
});

const killed = ({ mariadb }: Stage): Fault => ({
  name: 'killed and started',
  seen: 'told',
  begin: () => mariadb.kill(),
  end: () => mariadb.restart(),
});

/** So soon that those who wait may see but a delay. */
const killedBriefly = ({ mariadb }: Stage): Fault => ({
  name: 'killed and started at once',
  seen: 'passing',
  begin: () => mariadb.kill(),
  end: () => mariadb.restart(),
});

const frozen = ({ mariadb }: Stage, seen: Fault['seen']): Fault => ({
  name: `frozen, ${seen}`,
  seen,
  begin: async () => mariadb.freeze(),
  end: async () => mariadb.thaw(),
});

describe.runIf(runsOwnMysql)('a MariaDB', () => {
  test(
    '[FAULT1] [FAULT7] [FAULT11] [LOG1] that is stopped or killed costs nothing but its absence',
    async () => {
      const stage = await openStage();
      const faults = [stopped(stage), killedBriefly(stage), killed(stage)];
      expect(await survive(stage.server, await everyLoad(stage.server), faults)).toBeGreaterThan(0);
    },
    longMs,
  );

  test(
    '[FAULT1] [FAULT7] that hangs in the middle of commits is waited for within bounds, then UNAVAILABLE',
    async () => {
      const stage = await openStage();
      const faults = [frozen(stage, 'waited'), frozen(stage, 'told')];
      expect(await survive(stage.server, await everyLoad(stage.server), faults)).toBeGreaterThan(0);
    },
    longMs,
  );

  test.runIf(runsSmallDisks)(
    '[FAULT1] [FAULT7] with a full disk loses nothing, whether or not it ends by that',
    async () => {
      const disk = new SmallDisk(diskBytes);
      const stage = await openStage(disk.folder);
      const full: Fault = {
        name: 'full disk',
        seen: 'told',
        begin: async () => disk.fill(),
        async end() {
          disk.empty();
          if (!stage.mariadb.isRunning) await stage.mariadb.restart();
        },
      };
      expect(await survive(stage.server, await everyLoad(stage.server), [full])).toBeGreaterThan(0);
    },
    longMs,
  );
});
