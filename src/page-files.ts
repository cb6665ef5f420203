// The files of the page at /docs, as the build put them beside this one. Read once.
import { readdirSync, readFileSync } from 'node:fs';
import type { PageFile } from './edge/open-doors.ts';

const folder = new URL('./console/', import.meta.url);

const contentTypes: Readonly<Record<string, string>> = {
  html: 'text/html; charset=utf-8',
  css: 'text/css; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
};

/** @throws Error when the page was not built. */
export function readPageFiles(): PageFile[] {
  return readdirSync(folder).flatMap((name) => {
    const contentType = contentTypes[name.slice(name.lastIndexOf('.') + 1)];
    if (contentType === undefined) return [];
    const path = name === 'docs.html' ? '/docs' : `/docs/${name}`;
    return [{ path, contentType, body: readFileSync(new URL(name, folder)) }];
  });
}
