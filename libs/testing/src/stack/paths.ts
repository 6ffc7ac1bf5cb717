import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The root of the workspace. */
export const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..', '..', '..', '..');

/** What the local stack leaves behind: jars, logs, `ready.json`. Not in version control. */
export const LOCAL_DIR = join(ROOT, '.local');
