// The rules of the house as tables.

const storageContract = [
  'src/storage/storage.ts',
  'src/storage/shared.ts',
  'src/storage/snapshot.ts',
  'src/storage/tables.ts',
  'src/storage/claim.ts',
];
const everywhere = ['src/lib/', 'src/errors.ts'];

/**
 * Who may import what of ours. The first row that fits a file holds; a name that ends in `/` stands for all
 * below it, a star for anything but `/`. The composition roots, directly in src/, are the only ones that may
 * join the folders.
 */
export const layers: readonly { readonly files: string; readonly mayImport: readonly string[] }[] = [
  { files: 'src/errors.ts', mayImport: [] },
  { files: 'src/lib/', mayImport: everywhere },
  { files: 'src/link/', mayImport: ['src/link/', ...everywhere] },
  // The algebra of texts runs on the server and in clients alike.
  { files: 'src/text/', mayImport: ['src/text/'] },
  // The storage contract over a link, for the thread that hosts a database.
  { files: 'src/storage/remote*.ts', mayImport: ['src/storage/', 'src/link/link.ts', ...everywhere] },
  { files: 'src/storage/', mayImport: ['src/storage/', ...everywhere] },
  {
    files: 'src/actors/kinds/',
    mayImport: [
      'src/actors/actor.ts',
      'src/actors/body.ts',
      'src/actors/route.ts',
      'src/actors/state-snapshot.ts',
      // Parts of kinds: named after the kind and what they are.
      'src/actors/kinds/*-*.ts',
      'src/text/',
      ...storageContract,
      ...everywhere,
    ],
  },
  { files: 'src/actors/kinds.ts', mayImport: ['src/actors/actor.ts', 'src/actors/kinds/'] },
  {
    files: 'src/actors/',
    mayImport: ['src/actors/*.ts', 'src/link/messages.ts', 'src/text/', ...storageContract, ...everywhere],
  },
  // SockJS knows neither STOMP nor sessions.
  {
    files: 'src/edge/sockjs/',
    mayImport: ['src/edge/sockjs/', 'src/link/', 'src/actors/placement.ts', ...everywhere],
  },
  {
    files: 'src/edge/',
    mayImport: [
      'src/edge/',
      'src/link/',
      'src/actors/route.ts',
      'src/actors/placement.ts',
      'src/config.ts',
      ...everywhere,
    ],
  },
  // Of the kinds it takes the types of bodies alone.
  {
    files: 'src/client/',
    mayImport: ['src/client/', 'src/text/', 'src/errors.ts', 'src/actors/kinds/*-views.ts'],
  },
  { files: 'src/console/', mayImport: ['src/console/', 'src/client/'] },
  // The command line starts the load scripts, as a process of their own.
  { files: 'src/main.ts', mayImport: ['src/', 'bench/main.ts'] },
  { files: 'src/*.ts', mayImport: ['src/'] },
  { files: 'bench/', mayImport: ['bench/', 'src/'] },
  // What the server is made into lies in server/.
  { files: 'test/', mayImport: ['test/', 'src/', 'bench/', 'server/'] },
  // Which projects of tests there are depends on the servers that the machine has.
  { files: 'vitest.config.ts', mayImport: ['test/support/'] },
  { files: '*.ts', mayImport: [] },
];

/** What must not be written, where it may be all the same, and what to write instead. */
export interface Ban {
  readonly what: RegExp;
  /** Where it is looked for. */
  readonly files: readonly string[];
  /** Files of those that may. */
  readonly except: readonly string[];
  readonly instead: string;
  /** Comments and strings count too. */
  readonly inText?: boolean;
}

const typescript = ['src/', 'bench/', 'test/'];

export const bans: readonly Ban[] = [
  {
    what: /\bprocess\.exit\(/g,
    files: ['src/'],
    except: ['src/main.ts'],
    instead: 'throw, or let the task return; in a thread with sockets it aborts the whole process',
  },
  {
    what: /\bprocess\.env\b/g,
    files: ['src/'],
    except: ['src/config.ts'],
    instead: 'take the setting from Config',
  },
  {
    what: /\bconsole\.\w+/g,
    files: ['src/'],
    except: ['src/main.ts'],
    instead: 'log through the Logger that is handed over',
  },
  {
    what: /\b(?:Date\.now|performance\.now|setTimeout|setInterval)\b|\bnew Date\(\s*\)/g,
    files: ['src/'],
    except: ['src/lib/clock.ts', 'src/console/', 'src/client/'],
    instead: 'take a Clock (src/lib/clock.ts) or the time as an argument',
  },
  {
    what: /\b(?:Math\.random|randomBytes|randomUUID|getRandomValues)\b/g,
    files: ['src/'],
    except: ['src/lib/random.ts', 'src/client/'],
    instead: 'use src/lib/random.ts',
  },
  {
    what: /\bsetImmediate\b/g,
    files: ['src/'],
    except: ['src/lib/clock.ts', 'src/link/', 'src/actors/gate.ts', 'src/actors/shard*.ts', 'src/edge/'],
    instead: 'only links, shards and edges decide when a batch ends: enqueue there',
  },
  {
    what: /\bas any\b|: any\b|<any>|\bany\[\]/g,
    files: typescript,
    except: [],
    instead: 'use unknown and look at it, or the real type',
  },
  {
    what: /@ts-(?:ignore|nocheck)|(?:eslint|oxlint)-disable/g,
    files: typescript,
    except: [],
    instead: 'fix what is reported; if the rule is wrong, switch it off in .oxlintrc.json with its reason',
    inText: true,
  },
  {
    what: /\b(?:TO[D]O|FIX[M]E|XX[X])\b/g,
    files: typescript,
    except: [],
    instead: 'do it now, or say in a comment what is so and why',
    inText: true,
  },
  {
    what: /\bcatch\s*(?:\([^)]*\)\s*)?\{\s*\}/g,
    files: typescript,
    except: [],
    instead: 'handle it, or say in the block why nothing is to be done',
    inText: true,
  },
  {
    what: /^[ \t]*export default\b/gm,
    files: [...typescript, '*.ts'],
    except: ['src/thread.ts', 'vitest.config.ts'],
    instead: 'export it by its name',
  },
];

const databases = ['src/storage/', 'bench/', 'test/'];

/** Packages that are hidden behind one place of ours. */
export const packages: readonly { readonly name: string; readonly mayImport: readonly string[] }[] = [
  { name: 'uWebSockets.js', mayImport: ['src/edge/server.ts', 'bench/peers/', 'test/'] },
  { name: 'better-sqlite3', mayImport: databases },
  { name: 'mysql2', mayImport: databases },
  { name: 'ioredis', mayImport: databases },
];

export const fileLinesMax = 350;
export const fileLinesWarn = 250;
export const functionLinesMax = 70;
export const lineCharactersMax = 130;

/** The name that the suites of the SockJS protocol give to what they test against. */
export const givenNames: readonly string[] = ['sockjs-services.ts'];
export const vagueNames = /(?:^|-)(?:utils?|helpers?|managers?|services?|commons?|misc)(?:[-.]|$)/;
export const fileName = /^[a-z0-9]+(?:-[a-z0-9]+)*(?:\.[a-z]+)*\.ts$/;

/** Traces of the machine a file was written on. The brackets keep this list from finding itself. */
export const traces =
  /(?<![\w.~-])[/](?:work|root)[/]|\bissu[e] #\d*|\b(?:registry|artifactory|nexus)[.][a-z0-9-]+[.][a-z]+/gi;
