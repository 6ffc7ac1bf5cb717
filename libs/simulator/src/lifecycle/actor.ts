import { syntheticFnr } from '@tiltak/testing';
import type { SourceAvtale } from '../source/avtale.ts';
import { epoch } from '../source/epochs.ts';
import type { Performer } from '../source/source.ts';
import type { Day } from '../source/clock.ts';

/** Section 1.4 of the contract: what `utførtAv` holds, by role and time. */
export const ARENA: Performer = { utførtAv: 'Arena', utførtAvRolle: 'SYSTEM' };
export const BESLUTTER: Performer = { utførtAv: 'Z992800', utførtAvRolle: 'BESLUTTER' };

export function system(day: Day): Performer {
  return { utførtAv: day < epoch.utfoertAv ? 'tiltaksgjennomforing-api' : 'System', utførtAvRolle: 'SYSTEM' };
}

export function veileder({ content }: SourceAvtale): Performer {
  return { utførtAv: content.veilederNavIdent ?? 'Z990000', utførtAvRolle: 'VEILEDER' };
}

export function deltaker({ content }: SourceAvtale): Performer {
  return { utførtAv: content.deltakerFnr ?? '', utførtAvRolle: 'DELTAKER' };
}

export function mentor({ content }: SourceAvtale): Performer {
  return { utførtAv: content.mentorFnr ?? '', utførtAvRolle: 'MENTOR' };
}

/** Old messages name a third party: the person who acted for the employer. */
export function arbeidsgiver({ content }: SourceAvtale, day: Day): Performer {
  const representant = syntheticFnr(600_000 + (Number(content.bedriftNr) % 10_000));
  return { utførtAv: day < epoch.utfoertAv ? representant : content.bedriftNr, utførtAvRolle: 'ARBEIDSGIVER' };
}
