import type { AnyKind } from './actors/actor.ts';

/** The kinds a module exports as `kinds`: the built-in list, or one's own. @throws Error when there are none. */
export async function loadKinds(url: string): Promise<readonly AnyKind[]> {
  const { kinds } = (await import(url)) as { kinds?: readonly AnyKind[] };
  if (!Array.isArray(kinds)) throw new Error(`${url} exports no list of kinds`);
  return kinds as readonly AnyKind[];
}
