// The list of kinds: one line each. Earlier kinds own a destination before later ones.
import type { AnyKind } from './actor.ts';
import { room } from './kinds/room.ts';
import { topic } from './kinds/topic.ts';
import { user } from './kinds/user.ts';

export const kinds: readonly AnyKind[] = [room, user, topic];
