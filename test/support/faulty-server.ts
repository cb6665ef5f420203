// A server with other kinds than the built-in ones: `node faulty-server.js <URL of a module that exports kinds>`.
// Settings come from the environment. It says what the command line would say, and ends as it would.
import { startNode } from '../../src/start.ts';

const [, , kindsUrl] = process.argv;
try {
  const { url, ended } = await startNode({}, kindsUrl);
  process.stdout.write(`listening on ${url}\n`);
  process.exitCode = await ended;
} catch (thrown) {
  process.stderr.write(`stagewire: ${(thrown as Error).message}\n`);
  process.exit(1);
}
