import type { Relasjonsnavn } from '@tiltak/avtale';
import type { AvtaleDto, AvtaleLenkerDto, LenkeDto } from './avtaler.dto.ts';
import { FELTER, tilJson, type Rad } from './felter.ts';

const alleFelter = tilJson<Omit<AvtaleDto, '_links'>>(FELTER);

/** A row read with `HEL_AVTALE`, as consumers get it. */
export function tilAvtale(rad: Rad): AvtaleDto {
  return { ...alleFelter(rad), _links: lenker(rad) };
}

/** Of a row with avtale_id, deltaker_id, bedrift_nr and relasjoner; without the last, it has no links to other avtaler. */
export function lenker(rad: Rad): AvtaleLenkerDto {
  const { avtale_id: avtaleId, deltaker_id: deltakerId, bedrift_nr: bedriftNr } = rad;
  return {
    self: tilAvtaleMed(String(avtaleId)),
    ...(deltakerId ? { deltaker: { href: `/api/v1/deltakere/${String(deltakerId)}/avtaler` } } : {}),
    // Very old avtaler have no number, or something that isn't one.
    ...(/^\d{9}$/.test(String(bedriftNr))
      ? { bedrift: { href: `/api/v1/bedrifter/${String(bedriftNr)}/avtaler` } }
      : {}),
    ...(rad['relasjoner'] ? andreAvtaler(String(rad['relasjoner'])) : {}),
  };
}

/** @param relasjoner as `kolonner` reads them */
function andreAvtaler(relasjoner: string): Partial<AvtaleLenkerDto> {
  const lenker: Partial<AvtaleLenkerDto> = {};
  for (const relasjon of relasjoner.split(',')) {
    const [navn, til = ''] = relasjon.split(' ') as [Relasjonsnavn, string];
    // An avtale has at most one before it, and one after.
    if (navn === 'forrige' || navn === 'neste') lenker[navn] = tilAvtaleMed(til);
    else (lenker[navn] ??= []).push(tilAvtaleMed(til));
  }
  return lenker;
}

function tilAvtaleMed(avtaleId: string): LenkeDto {
  return { href: `/api/v1/avtaler/${avtaleId}` };
}
