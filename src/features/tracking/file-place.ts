import { z } from 'zod';
import { artifactPath } from '../registry/index.js';

const fileOwner = z.object({ kind: z.enum(['run', 'loggedModel']), id: z.uuid() });

/** Whose file it is. */
export type FileOwner = z.output<typeof fileOwner>;

/** Where a file is: whose, and at which path. */
export const filePlace = { owner: fileOwner, path: artifactPath };
