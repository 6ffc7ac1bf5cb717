import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The root of the workspace. */
export const ROT = join(dirname(fileURLToPath(import.meta.url)), '..', '..', '..', '..');

/** What the local stack leaves behind: jars, logs, `ready.json`. Not in version control. */
export const LOKALT = join(ROT, '.local');
