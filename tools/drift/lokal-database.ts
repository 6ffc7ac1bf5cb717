import { readReady } from '../local/ready-file.ts';

/** DB_* of the running local stack, as superuser; undefined when it is not running. */
export function localDatabase(): Record<string, string> | undefined {
  const ready = readReady();
  if (!ready) return undefined;
  const { hostname, port, pathname, username, password } = new URL(ready.postgres);
  return {
    ORGANISASJON: 'lokal',
    DB_HOST: hostname,
    DB_PORT: port,
    DB_DATABASE: pathname.slice(1),
    DB_USERNAME: decodeURIComponent(username),
    DB_PASSWORD: decodeURIComponent(password),
  };
}
