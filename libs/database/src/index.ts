export { LoginRefusedError, isTransient, connectAndWait } from './koble.ts';
export { columnName } from './kolonnenavn.ts';
export { databaseOptions, createDataSource, createPool, type DatabaseOptions } from './datakilde.ts';
export { deltakerIdWith, WrongKeyError, checkKey, writeKeyCheck, type DeltakerId } from './deltaker-id.ts';
export { Instance, ConsumerOffset, ConsumerStatus, ParkedMessage } from './entiteter.ts';
export { migrate } from './migrer.ts';
