import { createDataSource, type DatabaseOptions } from './connections.ts';
import { asSettingRefused } from './connect.ts';
import { checkLogSettings } from './log-settings.ts';
import { missingMigrations } from './migrate.ts';
import { checkPreparedStatements, checkSession } from './pooler.ts';

/** The server has not come to the schema of this release. */
class SchemaBehindError extends Error {}

/**
 * Makes sure that a server that answers may be read from: its schema, the settings of its sessions, a pooler in front of
 * it, and that it writes no personal data to its log.
 *
 * @param warn hears of what only matters on other machines than this
 * @throws SettingRefusedError, PoolerError, LogSettingsError, which waiting does not help; whatever else may pass
 */
export async function checkReadServer(options: DatabaseOptions, warn: (line: string) => void): Promise<void> {
  const dataSource = createDataSource(options);
  try {
    await dataSource.initialize();
    const missing = await missingMigrations(dataSource);
    if (missing.length > 0) throw new SchemaBehindError(`The migrations ${missing.join(', ')} are not there yet`);
    await checkSession(dataSource, options, options.pooled === true);
    await checkPreparedStatements(options);
    await checkLogSettings((sql, values) => dataSource.query(sql, values), options.host, warn);
  } catch (error) {
    throw asSettingRefused(error);
  } finally {
    if (dataSource.isInitialized) await dataSource.destroy();
  }
}
