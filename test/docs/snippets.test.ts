// The guides do what they say: the code of each is run as one script against a real server, and prints what the guide
// says that it prints.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, test } from 'vitest';
import { pythonFile, runsPython } from '../support/python.ts';
import { startServer, type TestServer } from '../support/server.ts';

const root = fileURLToPath(new URL('../../../', import.meta.url));
/** Within the package, so that it can be imported by its name. */
const folder = `${root}dist/test/docs/scripts`;

afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Language {
  /** Of the fences around its code. */
  readonly name: string;
  readonly extension: string;
  readonly program: string;
  /** The line that gets a token of `user`, by a command that would sign it with another secret than the test's. */
  readonly tokenLine: RegExp;
  readonly userOf: string;
}

const javaScript: Language = {
  name: 'js',
  extension: 'mjs',
  program: process.execPath,
  tokenLine: /return execFileSync.*/,
  userOf: '[user];',
};
const python: Language = {
  name: 'python',
  extension: 'py',
  program: pythonFile ?? 'python3',
  tokenLine: /return subprocess\.run.*/,
  userOf: '[user]',
};

interface Guide {
  readonly code: string;
  readonly prints: readonly string[];
}

const linesOf = (text: string): string[] => text.split('\n').filter(Boolean);

function guide(name: string, language: Language): Guide {
  const text = readFileSync(`${root}docs/${name}.md`, 'utf8').replaceAll(
    /<!-- not run: .*?-->\n+```.*?```\n/gs,
    '',
  );
  const blocks = [...text.matchAll(/^```(\w+)\n(.*?)^```$/gms)].map(([, fence = '', content = '']) => ({
    fence,
    content,
  }));
  const of = (wanted: string): string =>
    blocks
      .filter(({ fence }) => fence === wanted)
      .map(({ content }) => content)
      .join('\n');
  expect(new Set(blocks.map(({ fence }) => fence))).toEqual(new Set([language.name, 'text']));
  return { code: of(language.name), prints: linesOf(of('text')) };
}

interface Run {
  readonly server: TestServer;
  readonly roles?: readonly string[];
  /** A script that takes longer is ended, and what it has printed by then is all. */
  readonly withinMs?: number;
  /** Is told of everything printed so far, each time there is more. */
  readonly onPrinted?: (printed: string) => void;
}

/** Runs the code with the server and the tokens of this test in the place of the reader's, and expects what it prints. */
async function expectToPrint(name: string, language: Language, run: Run): Promise<void> {
  const { server, roles = [], withinMs = 25_000, onPrinted } = run;
  const { code, prints } = guide(name, language);
  const users = ['alice', 'bob', 'carol', 'dave'];
  const tokens = Object.fromEntries(
    await Promise.all(users.map(async (user) => [user, await server.token(user, roles)])),
  ) as Record<string, string>;
  const script = code
    .replace('ws://127.0.0.1:8080/ws', server.wsUrl)
    .replace('http://127.0.0.1:8080', server.url)
    .replace(language.tokenLine, `return ${JSON.stringify(tokens)}${language.userOf}`);
  mkdirSync(folder, { recursive: true });
  const file = `${folder}/${name}.${language.extension}`;
  writeFileSync(file, script);
  const child = spawn(language.program, [file], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, PYTHONUNBUFFERED: '1' },
    timeout: withinMs,
    killSignal: 'SIGKILL',
  });
  let printed = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      printed += chunk;
      onPrinted?.(printed);
    });
  }
  const [exitCode] = (await once(child, 'close')) as [number | null];
  expect(linesOf(printed)).toEqual(prints);
  expect(exitCode).toBe(0);
}

test('[GUIDE1] "The client in ten minutes" runs as it stands', async () => {
  await expectToPrint('client-in-ten-minutes', javaScript, {
    server: await startServer(),
    roles: ['service'],
  });
});

test('[GUIDE1] "Coming from Spring" runs as it stands', async () => {
  await expectToPrint('coming-from-spring', javaScript, { server: await startServer() });
});

describe.runIf(runsPython)('in Python', () => {
  test('[GUIDE1] "Write a client in another language" runs as it stands, and the server is killed when it says so', async () => {
    // As for a reader, whose server has a rate limit.
    const server = await startServer({ settings: { rateLimit: '30/10s' } });
    let restarted: Promise<TestServer> | undefined;
    await expectToPrint('write-a-client', python, {
      server,
      withinMs: 100_000,
      onPrinted: (printed) => {
        if (!printed.includes('kill the server now')) return;
        restarted ??= server.kill().then(() => server.restart({ port: new URL(server.url).port }));
      },
    });
    await restarted;
    expect(restarted).toBeDefined();
  }, 120_000);
});
