import { ApiProperty, ApiPropertyOptional, type ApiPropertyOptions } from '@nestjs/swagger';
import { formOf, type Members } from '@tiltak/platform';
import type { Field, Resource, Values } from '@tiltak/resource';
import type { PushDefinition } from '../../resources/resource.ts';
import { SidemetadataDto } from '../sync.dto.ts';
import { MAX_RESOURCES } from '../sync-page.ts';

type Form = new () => object;

/** What a page of a resource is, for the document: entries, or ids to delete. */
export function pagesOf(
  resource: Resource,
  { schemas, words, examples }: PushDefinition,
): Record<'page' | 'deletionPage', Form> {
  const idOf = (): Members => ({
    id: [
      ApiProperty({
        ...formOfKey(resource),
        description: keyOf(resource).source,
        example: examples[keyOf(resource).source],
      }),
    ],
  });
  const entry = formOf(schemas.entry, {
    ...idOf(),
    ressurs: [ApiProperty({ type: resourceForm(resource, { schemas, words, examples }), description: words.entry })],
  });
  const deletedEntry = formOf(schemas.deletedEntry, idOf());
  const each = 'Each id once';
  return {
    page: pageOf(schemas.page, entry, `${each}; none in an empty full sync`),
    deletionPage: pageOf(schemas.deletionPage, deletedEntry, each),
  };
}

function pageOf(schema: string, entry: Form, description: string): Form {
  return formOf(schema, {
    metadata: [ApiProperty({ type: SidemetadataDto, description: 'Which page of which sync' })],
    ressurser: [ApiProperty({ type: [entry], maxItems: MAX_RESOURCES, description })],
  });
}

/** What an adapter tells of one: its key and its time first, without which it can't be used. */
function resourceForm(resource: Resource, { schemas, words, examples }: Omit<PushDefinition, 'operations'>): Form {
  const [key, order] = [keyOf(resource), fieldOf(resource, resource.order)];
  const members: Members = {
    [key.source]: [
      ApiProperty({
        ...formOfKey(resource),
        description: 'The same as the id of the entry',
        example: examples[key.source],
      }),
    ],
    [order.source]: [
      ApiProperty({
        ...TYPES[order.read],
        description: `${words.order}, UTC. Decides the order: the newest wins, an older one changes nothing. After a delete, only a newer one revives.`,
        example: examples[order.source],
      } as ApiPropertyOptions),
    ],
  };
  for (const field of Object.values(resource.fields)) {
    if (!(field.source in members)) members[field.source] = [ApiPropertyOptional(told(field, examples[field.source]))];
  }
  members['slettemerket'] = [
    ApiPropertyOptional({ type: 'boolean', description: 'Deleted, in order with the changes' }),
  ];
  const description =
    'Fields that are not named here are not passed on: they are named in the answer, or the page is refused, as the contract says (`ukjenteFelter`).';
  return formOf({ name: schemas.resource, description }, members);
}

function told({ read, meaning, maxLength, digits, range }: Field, example: unknown): ApiPropertyOptions {
  const [minimum, maximum] = range ?? [];
  return {
    ...TYPES[read],
    nullable: true,
    description: meaning,
    ...(maxLength !== undefined && { maxLength }),
    ...(digits !== undefined && { pattern: digitsPattern(digits) }),
    ...(range && { minimum, maximum }),
    ...(example !== undefined && { example }),
  } as ApiPropertyOptions;
}

/** As messages have them. */
const TYPES: Readonly<Record<keyof Values, Record<string, string>>> = {
  uuid: { type: 'string', format: 'uuid' },
  text: { type: 'string' },
  integer: { type: 'integer' },
  number: { type: 'number' },
  boolean: { type: 'boolean' },
  date: { type: 'string', format: 'date' },
  osloTime: { type: 'string' },
  instant: { type: 'string', format: 'date-time' },
};

function formOfKey(resource: Resource): { type?: 'string'; format?: string; pattern?: string } {
  const { digits } = keyOf(resource);
  return digits === undefined ? { type: 'string', format: 'uuid' } : { type: 'string', pattern: digitsPattern(digits) };
}

const digitsPattern = (digits: number): string => `^[0-9]{${String(digits)}}$`;
const keyOf = (resource: Resource): Field => fieldOf(resource, resource.key);

function fieldOf({ name, fields }: Resource, field: string): Field {
  const found = fields[field];
  if (!found) throw new Error(`${name} has no field ${field}`);
  return found;
}
