// Where this machine has a Python with the packages that the guide for clients in other languages is run with.
import { spawnSync } from 'node:child_process';

/** A Python of one's own comes first; packages of the system are seen by the system's alone. */
const places = ['python3', '/usr/bin/python3'];

const hasPackages = (file: string): boolean =>
  spawnSync(file, ['-c', 'import msgpack, websockets'], { stdio: 'ignore' }).status === 0;

export const pythonFile = places.find(hasPackages);

/** Whether guides in Python run: where all must run, packages that are missing are a failure. */
export const runsPython = pythonFile !== undefined || process.env['CI'] === 'true';

export const pythonLeftOut =
  'Left out: the guide for clients in other languages. It needs Python with two packages:\n' +
  'apt-get install -y python3-websockets python3-msgpack';
