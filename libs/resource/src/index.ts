export {
  columnOf,
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
