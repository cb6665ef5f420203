// How bodies and paths name users.
import { z } from 'zod';

/** As a token's `sub` may be: nobody could ever sign in by another name. */
export const userName = z
  .string()
  .min(1)
  .max(36)
  .regex(/^\P{Cc}*$/u, 'must not hold control characters');
