import { join } from 'node:path';
import { createWorkDir, freePort, startPostgres } from '@tiltak/testing';

/** A Postgres of its own, gone when the sandbox ends. */
export interface SandboxServer {
  /** as superuser */
  url: string;
  stop: () => Promise<void>;
}

/** @throws MissingToolError when Postgres can't run here */
export async function startServer(): Promise<SandboxServer> {
  const { directory, clean } = createWorkDir('sandkasse');
  try {
    const server = await startPostgres({
      port: await freePort(),
      dataDir: join(directory, 'postgres'),
      logFile: join(directory, 'postgres.log'),
      throwaway: true,
    });
    return {
      url: server.url,
      stop: async () => {
        await server.stop();
        clean();
      },
    };
  } catch (error) {
    clean();
    throw error;
  }
}
