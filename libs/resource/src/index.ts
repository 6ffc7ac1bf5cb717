export {
  PERSONAL_DATA,
  type Field,
  type FieldEntry,
  type Instant,
  type PersonalData,
  type Reduced,
  type ValueOf,
  type Values,
} from './fields.ts';
export { type Resource } from './resource.ts';
export { asJsonObject, parseJsonObject, type JsonObject } from './json.ts';
export { addDays, parseDate, parseInstant, parseOsloTime, todayInOslo, toOsloMilliseconds } from './time.ts';
export { isUuid, UUID } from './uuid.ts';
export { parserOf, type ParseResourceMessage, type ResourceMessage, type ResourceValues } from './message.ts';
export { DELETE_BEFORE, isAhead, latestChange, type MessageOrigin } from './origin.ts';
export {
  parseJson,
  readBoolean,
  readerOf,
  readUuid,
  reject,
  REPLACED,
  TOO_MUCH,
  UnreadableError,
  utf8,
  type ParkingReason,
} from './read.ts';
export {
  comparePositions,
  isSamePlace,
  judgeStatement,
  judgeTombstone,
  type OrderMemory,
  type OrderState,
  type Position,
  type Verdict,
} from './order.ts';
export { foldResource, type PositionedResourceMessage, type ResourceFold, type ResourceState } from './fold.ts';
