import { syntetiskFnr } from '@tiltak/testing';
import type { Avtale } from '../kilde/avtale.ts';
import { epoke } from '../kilde/epoker.ts';
import type { Utfoerer } from '../kilde/kilde.ts';
import type { Dag } from '../kilde/klokke.ts';

/** Section 1.4 of the contract: what `utførtAv` holds, by role and time. */
export const ARENA: Utfoerer = { utførtAv: 'Arena', utførtAvRolle: 'SYSTEM' };
export const BESLUTTER: Utfoerer = { utførtAv: 'Z992800', utførtAvRolle: 'BESLUTTER' };

export function system(dag: Dag): Utfoerer {
  return { utførtAv: dag < epoke.utfoertAv ? 'tiltaksgjennomforing-api' : 'System', utførtAvRolle: 'SYSTEM' };
}

export function veileder({ innhold }: Avtale): Utfoerer {
  return { utførtAv: innhold.veilederNavIdent ?? 'Z990000', utførtAvRolle: 'VEILEDER' };
}

export function deltaker({ innhold }: Avtale): Utfoerer {
  return { utførtAv: innhold.deltakerFnr ?? '', utførtAvRolle: 'DELTAKER' };
}

export function mentor({ innhold }: Avtale): Utfoerer {
  return { utførtAv: innhold.mentorFnr ?? '', utførtAvRolle: 'MENTOR' };
}

/** Old messages name a third party: the person who acted for the employer. */
export function arbeidsgiver({ innhold }: Avtale, dag: Dag): Utfoerer {
  const representant = syntetiskFnr(600_000 + (Number(innhold.bedriftNr) % 10_000));
  return { utførtAv: dag < epoke.utfoertAv ? representant : innhold.bedriftNr, utførtAvRolle: 'ARBEIDSGIVER' };
}
