import type { OpenAPIObject } from '@nestjs/swagger';
import { printSchema } from 'graphql';
import { SCHEMAS } from '../graphql/schema.ts';
import { catalogueOf } from './catalogue.ts';
import { dataContract } from './data-contract.ts';
import { dcatApNo } from './dcat.ts';

/** The documents of the catalogue, by their names: also committed, so that a change of one is seen where it is reviewed. */
export const CATALOGUE_FILES = {
  'datakontrakt.yaml': (document: OpenAPIObject): string => dataContract(catalogueOf(document)),
  'dcat-ap-no.ttl': (): string => dcatApNo(),
  'skjema.graphql': (): string =>
    `# Made by npm run openapi. What POST /graphql answers in.\n${printSchema(SCHEMAS.ny)}\n`,
} as const satisfies Record<string, (document: OpenAPIObject) => string>;
