// Where this machine has Chromium, which the tests of pages need.
import { existsSync } from 'node:fs';

const places = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome-stable',
  '/usr/bin/google-chrome',
];

export const chromiumFile = places.find((place) => existsSync(place));

/** Whether tests of pages run: where all must run, a browser that is missing is a failure. */
export const runsPages = chromiumFile !== undefined || process.env['CI'] === 'true';

export const pagesLeftOut =
  'Left out: the tests of pages in a browser. They need Chromium: apt-get install -y chromium';
