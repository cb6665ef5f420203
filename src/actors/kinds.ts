// The list of kinds: one line each. Earlier kinds own a destination before later ones.
import type { AnyKind } from './actor.ts';
import { documentKind } from './kinds/document.ts';
import { queueKind } from './kinds/queue.ts';
import { roomKind } from './kinds/room.ts';
import { topicKind } from './kinds/topic.ts';
import { userKind } from './kinds/user.ts';

export const kinds: readonly AnyKind[] = [roomKind, documentKind, userKind, topicKind, queueKind];
