import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';

/** Nothing reads a file that is called so. */
export const UNFINISHED = '.uferdig';

/** What was written as unfinished bears its name from now on: on the disk before it does, and so is the name. */
export async function lay(directory: string, name: string): Promise<void> {
  const path = join(directory, name);
  await sync(`${path}${UNFINISHED}`, 'r+');
  await rename(`${path}${UNFINISHED}`, path);
  await sync(directory, 'r');
}

async function sync(path: string, flags: string): Promise<void> {
  const handle = await open(path, flags);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** SHA-256 of what is on the disk, hex. */
export async function checksumOf(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
}
