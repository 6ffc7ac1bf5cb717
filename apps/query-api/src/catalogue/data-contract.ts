import type { AvtaleField } from '@tiltak/avtale';
import { API_VERSION } from '@tiltak/platform';
import { stringify } from 'yaml';
import { RESOURCES } from '../resources/resources.ts';
import { granted, type ReadResource } from '../resources/resource.ts';
import { resourceFields, type CatalogueField, type LogicalType } from './catalogue.ts';

/** The topic of the source. */
const SOURCE = 'arbeidsgiver.tiltak-avtale-hendelse-compact';

const FORMATS: Partial<Record<LogicalType, string>> = {
  date: 'yyyy-MM-dd',
  timestamp: "yyyy-MM-dd'T'HH:mm:ss.SSSSSSX",
};

/**
 * The catalogue as a data contract by the Open Data Contract Standard 3.1: for each field its source, the rule, the column
 * and what it is called where it is answered.
 */
export function dataContract(fields: readonly CatalogueField[]): string {
  const contract = {
    apiVersion: 'v3.1.0',
    kind: 'DataContract',
    id: 'no.nav.tiltak.datadeling',
    name: 'tiltak-datadeling',
    version: API_VERSION,
    status: 'active',
    domain: 'arbeidsmarkedstiltak',
    dataProduct: 'tiltak-datadeling',
    tenant: 'Nav',
    tags: ['tiltak', 'avtale', 'personopplysninger'],
    description: {
      purpose:
        "A reduced, read-only copy of avtaler about labour-market measures, kept up to date from the source's topic, for those in Nav who have a legal basis for it.",
      limitations:
        'Everything is about persons. What is not listed here is not kept. A field whose column says that it ages is as the source last said. Of which kinds of measure the source is the master, and since when, hentDekning tells.',
      usage: 'Over REST, by the operations that each field names, with a grant for the operation and for each field.',
    },
    authoritativeDefinitions: [
      { url: '/openapi.json', type: 'implementation', description: 'The OpenAPI document' },
      { url: '/katalog', type: 'businessDefinition', description: 'The catalogue as a page' },
    ],
    schema: [schemaOf(fields), ...RESOURCES.map(resourceSchema)],
    team: { name: 'tiltak', description: 'Owns the source and this service, at Nav' },
    roles: [
      {
        role: 'access_as_application',
        access: 'read',
        description: 'App role of Entra ID; what it may read stands in the registry of consumers, by purpose',
      },
    ],
    slaProperties: [
      {
        property: 'frequency',
        value: 'continuous',
        description: 'Each answer says in Data-Oppdatert up to when everything is included',
      },
      { property: 'retention', value: 90, unit: 'd', element: 'avtale', description: 'Of lines of the change feed' },
    ],
  };
  return `# Made by npm run openapi from libs/avtale/src/fields.ts. Open Data Contract Standard: https://bitol-io.github.io/open-data-contract-standard\n${stringify(contract, { lineWidth: 0 })}`;
}

function schemaOf(fields: readonly CatalogueField[]): object {
  return {
    name: 'Avtale',
    logicalType: 'object',
    physicalName: 'avtale',
    physicalType: 'table',
    businessName: 'Avtale om tiltak',
    description: 'An agreement on a measure, between a participant, an employer and Nav',
    dataGranularityDescription: 'One avtale, as it is now',
    properties: fields.map((field) => propertyOf(field)),
  };
}

function resourceSchema(read: ReadResource): object {
  const { resource, schemas, words, operations } = read;
  return {
    name: schemas.one,
    logicalType: 'object',
    physicalName: resource.table,
    physicalType: 'table',
    businessName: words.one,
    description: words.about,
    dataGranularityDescription: `One ${words.one}, as it is now`,
    properties: resourceFields(read).map(
      ({ name, source, meaning, personalData, since, column, type, rule, mayBeEmpty }) => ({
        ...{ name, description: meaning, logicalType: type },
        ...(FORMATS[type] !== undefined && { logicalTypeOptions: { format: FORMATS[type] } }),
        ...{ physicalName: column.name, physicalType: column.type },
        ...(name === resource.key && { primaryKey: true, primaryKeyPosition: 1, unique: true }),
        ...{ required: !mayBeEmpty, classification: personalData },
        ...(source !== undefined && { transformSourceObjects: [`${resource.name}#${source}`] }),
        transformDescription: rule,
        customProperties: [
          { property: 'since', value: since },
          { property: 'grant', value: granted(read, name) },
          { property: 'answeredBy', value: [operations.search, operations.one, operations.export] },
        ],
      }),
    ),
  };
}

function propertyOf(field: CatalogueField): object {
  const { name, source, meaning, unit, personalData, since, column, type, values, rule, mayBeEmpty } = field;
  const options = optionsOf(field);
  return {
    name,
    description: meaning,
    logicalType: type,
    ...(Object.keys(options).length > 0 && { logicalTypeOptions: options }),
    ...(column && { physicalName: column.name, physicalType: column.type }),
    ...(name === ('avtaleId' satisfies AvtaleField) && { primaryKey: true, primaryKeyPosition: 1, unique: true }),
    required: !mayBeEmpty,
    classification: personalData,
    ...(source !== undefined && { transformSourceObjects: [`${SOURCE}#${source}`] }),
    transformDescription: rule,
    ...(values.length > 0 && { quality: [validValues(values)] }),
    customProperties: [
      { property: 'since', value: since },
      ...(unit === undefined ? [] : [{ property: 'unit', value: unit }]),
      { property: 'answeredBy', value: [...new Set(field.answers.flatMap(({ operations }) => operations))] },
    ],
  };
}

function optionsOf({ name, type, maxLength, column }: CatalogueField): Record<string, unknown> {
  if (column?.type === 'uuid') return { format: 'uuid' };
  if (name === ('deltakerFnr' satisfies AvtaleField)) return { maxLength };
  const format = FORMATS[type];
  return { ...(maxLength !== undefined && { maxLength }), ...(format !== undefined && { format }) };
}

function validValues(values: readonly string[]): object {
  return {
    name: 'published values',
    type: 'library',
    metric: 'invalidValues',
    mustBe: 0,
    arguments: { validValues: [...values] },
  };
}
