import {
  ARENA_FLAGS,
  asJsonObject,
  AVTALE_FIELDS,
  AVTALER,
  CODE_VALUES,
  FIELDS,
  isUuid,
  parseMessage,
  readabilityAt,
  reduceMessage,
  SOURCE_FIELDS,
  UKJENT,
  type JsonObject,
} from '@tiltak/avtale';
import type { Pushed } from './pushed.ts';

const FLAGS = Object.entries(ARENA_FLAGS);

/** The messages of the source have more than a table of fields says: what the phase needs to know. */
export const PUSHED_AVTALER: Pushed = {
  name: AVTALER.name,
  key: 'avtaleId',
  order: 'sistEndret',
  toKey: (id) => (isUuid(id) ? id.toLowerCase() : undefined),
  keyForm: 'must be a UUID',
  reduce: reduceMessage,
  refuseOtherTypes,
  parse: parseMessage,
  readabilityAt,
  known: {
    members: new Set([...SOURCE_FIELDS, ...Object.keys(ARENA_FLAGS), 'annullertGrunn']),
    otherNames: AVTALE_FIELDS.map((name) => [name, FIELDS[name].source] as const),
    localTimes: AVTALE_FIELDS.map((name) => FIELDS[name]).flatMap(({ read, source }) =>
      read === 'osloTime' ? [source] : [],
    ),
    isUnknownCode: Object.entries(CODE_VALUES).map(
      ([field, codes]) => [field, (value: string) => codes.fromSource(value) === UKJENT] as const,
    ),
    objects: FLAGS,
  },
  stored: {
    current: 'avtale',
    versions: 'avtale_versjon',
    changes: 'endring',
    key: 'avtale_id',
    keyType: 'uuid',
    order: 'sist_endret',
    synced: { table: 'synk_avtale', key: 'avtale_id', type: 'uuid' },
    pageKeys: 'avtaler',
  },
};

/** Of these a message says as much as it can be asked, whatever their form: an adapter is told what the document says. */
function refuseOtherTypes(content: JsonObject, refuse: (field: string, message: string) => void): void {
  const { annullertGrunn: reason } = content;
  if (typeof (reason ?? '') !== 'string') refuse('annullertGrunn', 'must be text or null');
  for (const [field, flag] of FLAGS) {
    const onBehalf = content[field];
    if (onBehalf === undefined || onBehalf === null) continue;
    const object = asJsonObject(onBehalf);
    if (!object) refuse(field, 'must be an object or null');
    else if (typeof (object[flag] ?? false) !== 'boolean') refuse(`${field}.${flag}`, 'must be true, false or null');
  }
}
