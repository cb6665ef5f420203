// A server with other kinds than the built-in ones: `node faulty-server.js <URL of a module that exports kinds>`.
// Settings come from the environment.
import { startNode } from '../../src/start.ts';

const [, , kindsUrl] = process.argv;
const { url, ended } = await startNode({}, kindsUrl);
process.stdout.write(`listening on ${url}\n`);
process.exitCode = await ended;
