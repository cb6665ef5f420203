// What others do to a MariaDB that the server shares with them, with everybody at work.
import { describe, expect, test } from 'vitest';
import type { Connection } from 'mysql2/promise';
import { everyLoad } from '../support/fault-load.ts';
import { openStage, type Stage } from '../support/fault-mariadb.ts';
import { survive, type Fault } from '../support/fault-rounds.ts';
import { runsOwnMysql } from '../support/mariadb.ts';

const longMs = 120_000;
const rounds = 60;
/** The least that a server takes. */
const connectionsMax = 10;
const deadlock = 1213;

/** Somebody holds the row that each commit looks at. */
function locked({ connect }: Stage): Fault {
  let connection: Connection | undefined;
  return {
    name: 'locked rows',
    seen: 'waited',
    async begin() {
      connection = await connect();
      await connection.query('BEGIN');
      await connection.query('SELECT * FROM owners FOR UPDATE');
    },
    end: async () => connection?.end(),
  };
}

/** Transactions that take the locks of commits in another order. */
function deadlocks({ connect }: Stage): Fault {
  return {
    name: 'deadlocks',
    seen: 'passing',
    async begin() {
      const connection = await connect();
      for (let round = 0; round < rounds; round += 1) {
        await connection.query('BEGIN');
        try {
          await connection.query('SELECT * FROM chat_rooms FOR UPDATE');
          await connection.query('SELECT * FROM owners FOR UPDATE');
        } catch (error) {
          expect(error).toMatchObject({ errno: deadlock });
        }
        await connection.query('ROLLBACK');
      }
      await connection.end();
    },
    end: async () => undefined,
  };
}

const readOnly = ({ mariadb }: Stage): Fault => ({
  name: 'read only',
  seen: 'told',
  begin: () => mariadb.sql('SET GLOBAL read_only = 1'),
  end: () => mariadb.sql('SET GLOBAL read_only = 0'),
});

/** Others have taken all connections that there are. */
function crowded({ mariadb, proxy, connect }: Stage): Fault {
  const others: Connection[] = [];
  return {
    name: 'too many connections',
    seen: 'told',
    async begin() {
      proxy.refuse();
      proxy.cutAll();
      await mariadb.sql(`SET GLOBAL max_connections = ${connectionsMax}`);
      while (others.length < connectionsMax) others.push(await connect());
      proxy.admit();
    },
    end: () => Promise.all(others.map((other) => other.end())),
  };
}

async function deadlocksOf({ mariadb }: Stage): Promise<number> {
  const [row] = await mariadb.sql<{ Value: string }>("SHOW GLOBAL STATUS LIKE 'Innodb_deadlocks'");
  return Number(row?.Value);
}

describe.runIf(runsOwnMysql)('a MariaDB that is shared with others', () => {
  test(
    '[FAULT1] [FAULT8] their locks are waited for, deadlocks are tried again, and nothing is lost or done twice',
    async () => {
      const stage = await openStage();
      const faults = [locked(stage), deadlocks(stage), readOnly(stage), crowded(stage)];
      expect(await survive(stage.server, await everyLoad(stage.server), faults)).toBeGreaterThan(0);
      expect(await deadlocksOf(stage)).toBeGreaterThan(0);
    },
    longMs,
  );
});
