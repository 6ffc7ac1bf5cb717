import { SetMetadata, type CustomDecorator } from '@nestjs/common';
import { FELTER, type Felt } from '../avtaler/felter.ts';

/**
 * Every operation by its operationId, and the fields of an avtale that its answer is made of: a consumer needs all of
 * them in its grant, since a published schema can't lose fields for some.
 */
export const OPERASJONER = {
  hentTiltaksstatus: ['tiltakstype', 'avtaleStatus', 'startDato', 'sluttDato'],
  sokAvtaler: FELTER,
  // Answers with the fields asked for; what a page is cut by goes with it.
  hentUtdrag: ['avtaleId'],
  hentAvtale: FELTER,
  hentAvtaleMedNummer: FELTER,
  hentVersjoner: FELTER,
  hentDeltakersAvtaler: FELTER,
  hentBedriftensAvtaler: FELTER,
  hentEndringer: ['avtaleId'],
  eksporterAvtaler: FELTER,
  // Answers with the fields that are asked for, so the grant is held against those.
  graphql: [],
  // Counts by one field, and the grant is held against that.
  hentStatistikk: [],
  hentFerskhet: [],
} as const satisfies Record<string, readonly Felt[]>;

export type Operasjon = keyof typeof OPERASJONER;

export const OPERASJON = 'operasjon';

/** Says which operation a handler is; a handler without it can't be reached. */
export function ErOperasjon(operasjon: Operasjon): CustomDecorator {
  return SetMetadata(OPERASJON, operasjon);
}
