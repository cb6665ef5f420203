// How presence looks from outside.
import { z } from 'zod';

const online = { userId: z.string(), online: z.boolean(), sessions: z.int() };

export const presenceAnswer = z
  .object({ ...online, lastSeen: z.iso.datetime().nullable() })
  .meta({ id: 'Presence' });

export const presenceChange = z.object({ ...online, timestamp: z.iso.datetime() });
