// The client as a page loads it: one file for browsers, made the way front ends make theirs.
import { fileURLToPath } from 'node:url';
import { build, type Rolldown } from 'vite';

const root = fileURLToPath(new URL('../../../', import.meta.url));

/**
 * The text of one ECMAScript module.
 *
 * @param entry a built file, from the root of the project.
 * @param without packages that are left as imports.
 */
export async function bundle(entry: string, without: readonly string[] = []): Promise<string> {
  const made = await build({
    root,
    configFile: false,
    logLevel: 'error',
    build: {
      write: false,
      minify: true,
      lib: { entry: `${root}${entry}`, formats: ['es'] },
      rolldownOptions: { external: [...without] },
    },
  });
  const [output] = (Array.isArray(made) ? made : [made]) as Rolldown.RolldownOutput[];
  const [chunk] = output?.output ?? [];
  if (!chunk) throw new Error(`nothing was made of ${entry}`);
  return chunk.code;
}
