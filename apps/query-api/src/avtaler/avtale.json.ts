import type { AvtaleDto, AvtaleLenkerDto } from './avtaler.dto.ts';
import { FELTER, tilJson, type Rad } from './felter.ts';

const alleFelter = tilJson<Omit<AvtaleDto, '_links'>>(FELTER);

/** A whole row, with `deltaker_id`, as consumers get it. */
export function tilAvtale(rad: Rad): AvtaleDto {
  return { ...alleFelter(rad), _links: lenker(rad) };
}

/** @param rad with at least avtale_id, deltaker_id and bedrift_nr */
export function lenker(rad: Rad): AvtaleLenkerDto {
  const { avtale_id: avtaleId, deltaker_id: deltakerId, bedrift_nr: bedriftNr } = rad;
  return {
    self: { href: `/api/v1/avtaler/${String(avtaleId)}` },
    ...(deltakerId ? { deltaker: { href: `/api/v1/deltakere/${String(deltakerId)}/avtaler` } } : {}),
    // Very old avtaler have no number, or something that isn't one.
    ...(/^\d{9}$/.test(String(bedriftNr))
      ? { bedrift: { href: `/api/v1/bedrifter/${String(bedriftNr)}/avtaler` } }
      : {}),
  };
}
