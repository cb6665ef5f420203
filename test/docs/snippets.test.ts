// The guides do what they say: the code of each is run as one script against a real server, and prints what the guide
// says that it prints.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, test } from 'vitest';
import { startServer } from '../support/server.ts';

const root = fileURLToPath(new URL('../../../', import.meta.url));
/** Within the package, so that it can be imported by its name. */
const folder = `${root}dist/test/docs/scripts`;

afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Guide {
  readonly code: string;
  readonly prints: readonly string[];
}

function guide(name: string): Guide {
  const text = readFileSync(`${root}docs/${name}.md`, 'utf8').replaceAll(
    /<!-- not run: .*?-->\n+```.*?```\n/gs,
    '',
  );
  const blocks = [...text.matchAll(/^```(\w+)\n(.*?)^```$/gms)].map(([, language = '', content = '']) => ({
    language,
    content,
  }));
  const of = (language: string): string =>
    blocks
      .filter((block) => block.language === language)
      .map(({ content }) => content)
      .join('\n');
  expect(new Set(blocks.map(({ language }) => language))).toEqual(new Set(['js', 'text']));
  return { code: of('js'), prints: of('text').split('\n').filter(Boolean) };
}

/** Runs the code with the server and the tokens of this test in the place of the reader's, and expects what it prints. */
async function expectToPrint(name: string, roles: readonly string[] = []): Promise<void> {
  const { code, prints } = guide(name);
  const server = await startServer();
  mkdirSync(folder, { recursive: true });
  const tokens = { alice: await server.token('alice', roles), bob: await server.token('bob', roles) };
  const script = code
    .replace('ws://127.0.0.1:8080/ws', server.wsUrl)
    .replace('http://127.0.0.1:8080', server.url)
    // The server of this test has a secret of its own.
    .replace(/return execFileSync.*/, `return ${JSON.stringify(tokens)}[user];`);
  const file = `${folder}/${name}.mjs`;
  writeFileSync(file, script);
  const child = spawn(process.execPath, [file], { stdio: ['ignore', 'pipe', 'pipe'] });
  let printed = '';
  child.stdout.on('data', (chunk: Buffer) => (printed += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (printed += chunk.toString()));
  const [exitCode] = (await once(child, 'close')) as [number | null];
  expect(printed.split('\n').filter(Boolean).toSorted()).toEqual(prints.toSorted());
  expect(exitCode).toBe(0);
}

test('[GUIDE1] "The client in ten minutes" runs as it stands', async () => {
  await expectToPrint('client-in-ten-minutes', ['service']);
});

test('[GUIDE1] "Coming from Spring" runs as it stands', async () => {
  await expectToPrint('coming-from-spring');
});
