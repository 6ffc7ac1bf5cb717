import { SOURCE_FIELDS } from '@tiltak/avtale';
import type { Field, Resource } from '@tiltak/resource';
import { EVENT_TYPES, sourceOf, toEvent, type FeedLine, type TriggerEvent } from '../trigger/trigger-event.ts';

/** JSON Schema, as far as it is used here. */
export type JsonSchema = Record<string, unknown>;

/** What the OpenAPI document says of an adapter's `Ressurs`, which has the names, types and rules of the source's messages. */
export interface ResourceSchema {
  properties: Record<string, JsonSchema>;
  required: string[];
}

const UUID = { type: 'string', format: 'uuid' };
const EXAMPLE_AVTALE = '5f0c0d3e-1d6b-4c57-9a44-0e0a6b1f2d11';

/** Of the source, and of what an adapter's pages become: the same fields, read by the same rules. */
export function avtaleSchema({ properties, required }: ResourceSchema): JsonSchema {
  const unknown = SOURCE_FIELDS.filter((field) => properties[field] === undefined);
  if (unknown.length > 0) throw new Error(`The document says nothing of ${unknown.join(', ')}`);
  return {
    type: 'object',
    description:
      'One avtale as it is now. Fields that are not named here are not read, and not stored. A value that is not of its type parks the message, with the reason.',
    required,
    properties: {
      ...Object.fromEntries(Object.entries(properties).map(([name, schema]) => [name, toMessageSchema(schema)])),
      hendelseType: {
        type: ['string', 'null'],
        description: 'What happened. Nothing is derived from it, but that AVTALE_SLETTET deletes; any text is taken.',
        examples: ['ENDRET'],
      },
    },
  };
}

/** OpenAPI's one example becomes a list; and a message may leave open what an adapter is to say. */
function toMessageSchema({ example, ...schema }: JsonSchema): JsonSchema {
  return {
    ...schema,
    ...(schema['type'] === 'boolean' ? { type: ['boolean', 'null'] } : {}),
    ...(example === undefined ? {} : { examples: [example] }),
  };
}

export const IDENT_SCHEMA: JsonSchema = {
  type: 'object',
  description: 'All that holds now of the person: every ident, also former ones. Nothing else is read.',
  required: ['identifikatorer'],
  properties: {
    identifikatorer: {
      type: 'array',
      description: 'Idents of other types than FOLKEREGISTERIDENT and NPID are passed by; 50 of these two at most.',
      items: {
        type: 'object',
        required: ['idnummer', 'type'],
        properties: {
          idnummer: { type: 'string', description: 'Of a national ident: eleven digits' },
          type: { type: 'string', examples: ['FOLKEREGISTERIDENT', 'NPID', 'AKTORID'] },
          gjeldende: { type: 'boolean', description: 'Not read: nothing depends on which one is the current' },
        },
      },
    },
  },
};

/** What is read of the messages of a resource, by its table of fields. */
export function schemaOf({ fields }: Resource): JsonSchema {
  const all = Object.values(fields);
  const properties = all.map((field): [string, JsonSchema] => [field.source, propertyOf(field)]);
  return {
    type: 'object',
    required: all.filter(({ required }) => required).map(({ source }) => source),
    properties: {
      ...Object.fromEntries(properties),
      slettemerket: { type: 'boolean', description: 'Deleted: nothing of it is kept' },
    },
  };
}

function propertyOf({ read, meaning, required, digits, maxLength }: Field): JsonSchema {
  const type = JSON_TYPE[read];
  return {
    type: required ? type : [type, 'null'],
    description: meaning,
    ...FORMAT[read],
    ...(digits === undefined ? {} : { pattern: `^[0-9]{${String(digits)}}$` }),
    ...(digits === undefined && maxLength !== undefined ? { maxLength } : {}),
  };
}

const JSON_TYPE: Readonly<Record<Field['read'], string>> = {
  uuid: 'string',
  text: 'string',
  integer: 'integer',
  number: 'number',
  boolean: 'boolean',
  date: 'string',
  osloTime: 'string',
  instant: 'string',
};

const FORMAT: Readonly<Partial<Record<Field['read'], JsonSchema>>> = {
  uuid: { format: 'uuid' },
  date: { format: 'date' },
  instant: { format: 'date-time' },
};

/** Closed: what is not named here is never told. */
export const TRIGGER_SCHEMA: JsonSchema = {
  type: 'object',
  description:
    'A CloudEvent 1.0 in structured mode. It tells which avtale changed, and nothing of it or of anybody: ask the API for what you may see.',
  additionalProperties: false,
  required: [
    'specversion',
    'id',
    'source',
    'type',
    'subject',
    'time',
    'sequence',
    'partitionkey',
    'datacontenttype',
    'data',
  ],
  properties: {
    specversion: { const: '1.0' },
    id: {
      type: 'string',
      description:
        'Of the line of the change feed: the same when it is told of again, and never that of another line, also after a restored backup',
    },
    source: { type: 'string', format: 'uri-reference', description: 'The organisation', examples: [sourceOf('nav')] },
    type: {
      enum: Object.values(EVENT_TYPES),
      description: 'Changed or new; or deleted, or hidden as wrongly registered',
    },
    subject: { ...UUID, description: 'avtaleId, an opaque id' },
    time: { type: 'string', format: 'date-time', description: 'When the change was stored, UTC' },
    sequence: {
      type: 'string',
      pattern: '^[0-9]{19}\\.[0-9]{19}$',
      description:
        'The extension of this name: as text in the order of the change feed while `data.epoke` is the same. What is not greater than the last of the same subject is a repeat',
    },
    partitionkey: { ...UUID, description: 'The extension of this name: avtaleId, the key of the message' },
    datacontenttype: { const: 'application/json' },
    data: {
      type: 'object',
      additionalProperties: false,
      required: ['avtaleId', 'posisjon', 'epoke'],
      properties: {
        avtaleId: UUID,
        posisjon: {
          type: 'string',
          description: 'In the change feed: for `Minst-Posisjon` of a look-up, and `etter` of hentEndringer',
        },
        epoke: {
          ...UUID,
          description:
            'Of the change feed. Another one: a backup was restored or a standby took over; begin a copy anew',
        },
      },
    },
  },
};

const EXAMPLE_LINE: FeedLine = {
  tx: 4_711n,
  sequenceNumber: 12_345n,
  avtaleId: EXAMPLE_AVTALE,
  type: 'ENDRET',
  moment: '2026-01-31T10:00:00.123456Z',
};

/** As it would be published. */
export const EXAMPLE_EVENT: TriggerEvent = toEvent(
  EXAMPLE_LINE,
  'a3f1c2d4-5b6e-4f70-8a91-0b1c2d3e4f50',
  sourceOf('nav'),
);

export const EXAMPLE_AVTALE_MESSAGE = {
  avtaleId: EXAMPLE_AVTALE,
  sistEndret: '2026-01-31T10:00:00.123456Z',
  hendelseType: 'ENDRET',
  avtaleNr: 10_000,
  bedriftNr: '999999999',
  tiltakstype: 'ARBEIDSTRENING',
  avtaleStatus: 'GJENNOMFØRES',
  avtaleInngått: '2026-01-15T12:00:00',
  startDato: '2026-02-01',
  sluttDato: '2026-07-31',
};
