export { LoginRefusedError, isTransient, connectAndWait, waitForSchema } from './connect.ts';
export { columnName } from './column-name.ts';
export { databaseOptions, createDataSource, createPool, type DatabaseOptions } from './connections.ts';
export { sessionSettings } from './session-settings.ts';
export { deltakerIdWith, WrongKeyError, checkKey, writeKeyCheck, type DeltakerId } from './deltaker-id.ts';
export { Instance, ConsumerStatus } from './entities.ts';
export { LOCKS } from './locks.ts';
export { checkLogSettings, LogSettingsError } from './log-settings.ts';
export { migrate } from './migrate.ts';
