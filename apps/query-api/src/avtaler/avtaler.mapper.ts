import type { RelationName } from '@tiltak/avtale';
import type { AvtaleDto, AvtaleLenkerDto, LenkeDto } from './avtaler.dto.ts';
import { GRANTABLE_FIELDS, jsonMapper, type AvtaleRow } from './avtaler.fields.ts';

const allFields = jsonMapper<Omit<AvtaleDto, '_links'>>(GRANTABLE_FIELDS);

/** A row read with `WHOLE_AVTALE`, as consumers get it. */
export function toAvtaleDto(row: AvtaleRow): AvtaleDto {
  return { ...allFields(row), _links: linksOf(row) };
}

/** Of a row with avtale_id, deltaker_id, bedrift_nr and relasjoner; without the last, it has no links to other avtaler. */
export function linksOf(row: AvtaleRow): AvtaleLenkerDto {
  const { avtale_id: avtaleId, deltaker_id: deltakerId, bedrift_nr: bedriftNr } = row;
  return {
    self: avtaleLink(String(avtaleId)),
    ...(deltakerId ? { deltaker: { href: `/api/v1/deltakere/${String(deltakerId)}/avtaler` } } : {}),
    // Very old avtaler have no number, or something that isn't one.
    ...(/^\d{9}$/.test(String(bedriftNr))
      ? { bedrift: { href: `/api/v1/bedrifter/${String(bedriftNr)}/avtaler` } }
      : {}),
    ...(row['relasjoner'] ? relatedLinks(String(row['relasjoner'])) : {}),
  };
}

/** @param relations as `columnsFor` has them read */
function relatedLinks(relations: string): Partial<AvtaleLenkerDto> {
  const links: Partial<AvtaleLenkerDto> = {};
  for (const relation of relations.split(',')) {
    const [name, to = ''] = relation.split(' ') as [RelationName, string];
    // An avtale has at most one before it, and one after.
    if (name === 'forrige' || name === 'neste') links[name] = avtaleLink(to);
    else (links[name] ??= []).push(avtaleLink(to));
  }
  return links;
}

function avtaleLink(avtaleId: string): LenkeDto {
  return { href: `/api/v1/avtaler/${avtaleId}` };
}
