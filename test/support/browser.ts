// A real browser for tests of pages: Chromium as the system has it.
import { chromium, type Browser } from 'playwright-core';
import { afterAll } from 'vitest';
import { chromiumFile, pagesLeftOut } from './chromium.ts';

const open = new Set<Browser>();

afterAll(async () => {
  for (const browser of open) await browser.close();
});

/** Ends after the last test of the file. @throws Error when the system has no Chromium. */
export async function openBrowser(): Promise<Browser> {
  if (chromiumFile === undefined) throw new Error(pagesLeftOut);
  const browser = await chromium.launch({ executablePath: chromiumFile, args: ['--no-sandbox'] });
  open.add(browser);
  return browser;
}
