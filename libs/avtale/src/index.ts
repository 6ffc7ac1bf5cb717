export {
  AVTALESTATUSER,
  CODE_VALUES,
  OPPHAV,
  STILLINGSTYPER,
  TILTAKSTYPER,
  UKJENT,
  type AvtaleStatus,
  type CodeValues,
  type Opphav,
  type Stillingstype,
  type Tiltakstype,
} from './code-values.ts';
export {
  AVTALE_FIELDS,
  FIELDS,
  GRANTABLE_FIELDS,
  MAX_BEDRIFT_NR,
  OPEN_SOURCE_FIELDS,
  SOURCE_FIELDS,
  STORED_FIELDS,
  type Avtale,
  type AvtaleField,
  type Field,
  type Instant,
} from './fields.ts';
export {
  DELETE_BEFORE,
  parseMessage,
  parseMessageText,
  reduceMessage,
  type Message,
  type ParkingReason,
  type ParseResult,
} from './message.ts';
export {
  toRelationAvtale,
  sameRelationAvtale,
  MAX_LINKED_AVTALER,
  relationsFor,
  type RelationAvtale,
  type Relation,
  type RelationName,
} from './relations.ts';
export {
  foldMessages,
  isSamePlace,
  type Change,
  type Fold,
  type Content,
  type OrderMemory,
  type Position,
  type PositionedMessage,
  type AvtaleState,
  type Outcome,
  type Version,
} from './ordering.ts';
export {
  ARENA_FLAGS,
  countedDays,
  FASER,
  GRUNNER,
  isAnnulledUnderway,
  phaseOn,
  type CountedDays,
  type Days,
  type Fase,
  type Grunn,
  type PhaseFacts,
  type PhaseMarks,
} from './phase.ts';
export { asJsonObject, parseJsonObject, type JsonObject } from './json.ts';
export { addDays, todayInOslo, parseDate, parseInstant, parseOsloTime, toOsloMilliseconds } from './time.ts';
export { isUuid, UUID } from './uuid.ts';
