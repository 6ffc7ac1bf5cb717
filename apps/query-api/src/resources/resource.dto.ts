import type { Type } from '@nestjs/common';
import { ApiProperty, ApiPropertyOptional, type ApiPropertyOptions } from '@nestjs/swagger';
import type { Values } from '@tiltak/resource';
import { formOf, IntegerParam, type Members } from '@tiltak/platform';
import { IsIn, IsInt, IsOptional, IsString, Matches, Max, MaxLength, Min } from 'class-validator';
import { LenkeDto } from '../avtaler/avtaler.dto.ts';
import { CHANGE_TYPES, DELETE_REASONS } from '../changes/changes.dto.ts';
import { HasFields, IsListOf, SplitList } from '../shared/lists.ts';
import { NotTogetherWith } from '../shared/together.ts';
import { entryOf, fieldsOf, granted, type ReadResource, type ResourceFilter } from './resource.ts';

/** The forms and schemas of a resource's operations. */
export interface ResourceDtos {
  one: Type;
  page: Type;
  search: Type;
  key: Type;
  changes: Type;
  changesQuery: Type;
  exportQuery: Type;
}

/** Made of its definition, so that forms, schemas and grants can't say different things. */
export function dtosOf(read: ReadResource): ResourceDtos {
  const { schemas, words } = read;
  const one = oneDto(read);
  const page = formOf(schemas.page, {
    [words.several]: [ApiProperty({ type: [one], description: `In the order of ${read.resource.key}` })],
    neste: [
      ApiPropertyOptional({
        type: String,
        description:
          'Cursor to the next page; absent on the last one. A page may be shorter than antall, or empty, and still have it',
      }),
    ],
  });
  return {
    one,
    page,
    search: searchDto(read),
    key: keyDto(read),
    changes: changesDto(read),
    changesQuery: changesForm(),
    exportQuery: exportDto(read),
  };
}

/** Where to go, and what to send there: one schema for all resources. */
const LINK = formOf('Sporrelenke', {
  href: [ApiProperty({ type: String, description: 'Path on this service', example: '/api/v1/avtaler/sok' })],
  metode: [ApiPropertyOptional({ type: String, description: 'POST; a plain GET when absent', example: 'POST' })],
  sporring: [
    ApiPropertyOptional({
      type: 'object',
      additionalProperties: { type: 'string' },
      description: 'What to send with POST',
      example: { hovedenhet: '910712217' },
    }),
  ],
});

const TYPES: Readonly<Record<keyof Values, ApiPropertyOptions>> = {
  uuid: { type: String, format: 'uuid' },
  text: { type: String },
  integer: { type: 'integer' },
  number: { type: Number },
  boolean: { type: Boolean },
  date: { type: String, format: 'date' },
  osloTime: { type: String, format: 'date-time' },
  instant: { type: String, format: 'date-time' },
};

function oneDto(read: ReadResource): Type {
  const { resource, schemas, examples } = read;
  const members: Members = {};
  for (const field of fieldsOf(read)) {
    const { meaning, read: how } = entryOf(read, field);
    const example = examples[field];
    const isKey = field === resource.key;
    const isNullable = how !== 'boolean' && resource.fields[field]?.required !== true;
    const property = {
      ...TYPES[how],
      ...(isNullable && { nullable: true }),
      description: isKey ? meaning : `${meaning}. Absent when not granted, or not asked for`,
      example,
    } as ApiPropertyOptions;
    members[field] = [isKey ? ApiProperty(property) : ApiPropertyOptional(property)];
  }
  members['_links'] = [
    ApiPropertyOptional({ type: linksDto(read), description: 'Where to go from here (HAL); absent in an export' }),
  ];
  return formOf(schemas.one, members);
}

function linksDto({ schemas, links }: ReadResource): Type {
  const linkMembers: Members = { self: [ApiProperty({ type: LenkeDto, description: 'This one' })] };
  for (const [name, { description }] of Object.entries(links)) {
    linkMembers[name] = [ApiPropertyOptional({ type: LINK, description })];
  }
  return formOf(schemas.links, linkMembers);
}

const MAX_NUMBER_OF_KEYS = 1_000;

function filterProperty(
  read: ReadResource,
  { by, reads, description, example, pattern, form }: ResourceFilter,
): PropertyDecorator[] {
  const described = `${description}. Needs a grant for ${granted(read, reads)}`;
  const regExp = new RegExp(pattern);
  if (by !== 'keys') {
    return [
      ApiPropertyOptional({ type: String, pattern, description: described, example }),
      IsOptional(),
      IsString(),
      Matches(regExp, { message: form }),
    ];
  }
  const list = { minItems: 1, maxItems: MAX_NUMBER_OF_KEYS, items: { type: 'string', pattern } };
  return [
    ApiPropertyOptional({ type: 'array', ...list, description: described, example } as ApiPropertyOptions),
    IsOptional(),
    IsListOf('noekler', form, (value) => regExp.test(value), MAX_NUMBER_OF_KEYS),
  ];
}

const count = (what: string): PropertyDecorator[] => [
  ApiPropertyOptional({
    ...{ type: 'integer', minimum: 1, maximum: 1000, default: 100, description: `${what} on a page`, example: 10 },
  }),
  IsInt(),
  Min(1),
  Max(1_000),
];

function fieldsProperty(read: ReadResource, more: PropertyDecorator[] = []): PropertyDecorator[] {
  const fields = fieldsOf(read);
  return [
    ApiPropertyOptional({
      ...{ enum: fields, enumName: read.schemas.field, isArray: true, minItems: 1, uniqueItems: true },
      description: `The fields to answer with, and ${read.resource.key}. No others are read, and only these need a grant; all that are granted when absent`,
    }),
    ...more,
    IsOptional(),
    HasFields(fields),
  ];
}

function searchDto(read: ReadResource): Type {
  const { filters, schemas, words } = read;
  const members: Members = {};
  for (const [name, filter] of Object.entries(filters)) members[name] = filterProperty(read, filter);
  members['felter'] = fieldsProperty(read);
  members['antall'] = count(words.several);
  members['neste'] = [
    ApiPropertyOptional({
      type: String,
      maxLength: 200,
      description: 'Cursor from the page before, of the same search',
    }),
    IsOptional(),
    IsString(),
    MaxLength(200),
  ];
  return formOf(schemas.search, members, { antall: 100 });
}

function keyDto({ resource, keyPattern }: ReadResource): Type {
  return formOf(undefined, {
    [resource.key]: [IsString(), Matches(new RegExp(keyPattern), { message: 'has another form' })],
  });
}

function exportDto(read: ReadResource): Type {
  return formOf(undefined, { felter: fieldsProperty(read, [SplitList()]) });
}

function changesDto({ resource, schemas, words, examples }: ReadResource): Type {
  const change = formOf(schemas.change, {
    [resource.key]: [
      ApiProperty({ type: String, description: 'The one that changed', example: examples[resource.key] }),
    ],
    type: [
      ApiProperty({
        ...{ enum: CHANGE_TYPES, enumName: 'Endringstype', example: 'ENDRET' },
        description: 'ENDRET: new, or changed: read it again. SLETTET: it is gone: forget it',
      }),
    ],
    aarsak: [
      ApiPropertyOptional({
        enum: DELETE_REASONS,
        enumName: 'Sletteaarsak',
        description: 'Why it is gone; only for SLETTET',
      }),
    ],
    tidspunkt: [ApiProperty({ type: String, format: 'date-time', description: 'When this system learned of it' })],
    _links: [
      ApiProperty({
        type: 'object',
        additionalProperties: { $ref: '#/components/schemas/Lenke' },
        description: `\`${words.one}\`: as it is now; absent when it is gone`,
      }),
    ],
  });
  return formOf(schemas.changes, {
    endringer: [ApiProperty({ type: [change], description: 'In the order of the feed; empty at its end' })],
    posisjon: [
      ApiProperty({
        type: String,
        description: 'Where to go on: the `etter` of the next call. Opaque, and of this feed only',
      }),
    ],
    flere: [ApiProperty({ type: Boolean, description: 'There may be more right away; false at the end of the feed' })],
  });
}

function changesForm(): Type {
  return formOf(
    undefined,
    {
      etter: [
        ApiPropertyOptional({
          ...{ type: String, maxLength: 300 },
          description:
            'Position from the page before, or from the first line of the export; from the beginning when absent',
        }),
        IsOptional(),
        IsString(),
        MaxLength(300),
      ],
      fra: [
        ApiPropertyOptional({
          ...{ enum: ['naa'], enumName: 'Startsted' },
          description: 'Begins with what changes from now on: the answer is the position of now, without changes',
        }),
        IsOptional(),
        IsIn(['naa'], { message: 'must be naa' }),
        NotTogetherWith('etter'),
      ],
      antall: [IntegerParam(), ...count('Changes')],
      ventSekunder: [
        ApiPropertyOptional({
          ...{ type: 'integer', minimum: 0, maximum: 30, default: 0, example: 0 },
          description: 'At the end of the feed: how long to wait for something new, in seconds',
        }),
        IntegerParam(),
        IsInt(),
        Min(0),
        Max(30),
      ],
    },
    { antall: 100, ventSekunder: 0 },
  );
}
