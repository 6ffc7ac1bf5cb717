import { type RelationName, GRANTABLE_FIELDS, type AvtaleField } from '@tiltak/avtale';
import type {
  AvtaleDto,
  AvtaleLenkerDto,
  AvtalesideDto,
  LenkeDto,
  UtdragDto,
  UtdragssideDto,
  VersjonssideDto,
} from './avtaler.dto.ts';
import { jsonMapper, toRfc3339, type AvtaleRow } from './avtaler.fields.ts';
import type { VersionRow } from './avtaler.queries.ts';

const allFields = jsonMapper<Omit<AvtaleDto, '_links'>>(GRANTABLE_FIELDS);

/** A row read with `WHOLE_AVTALE`, as consumers get it. */
export function toAvtaleDto(row: AvtaleRow): AvtaleDto {
  return { ...allFields(row), _links: linksOf(row) };
}

export function toAvtaleside(rows: AvtaleRow[], next?: string): AvtalesideDto {
  return { avtaler: rows.map(toAvtaleDto), ...nextPage(next) };
}

export function toUtdragsside(fields: readonly AvtaleField[], rows: AvtaleRow[], next?: string): UtdragssideDto {
  return { avtaler: rows.map(jsonMapper<UtdragDto>(fields)), ...nextPage(next) };
}

export function toVersjonsside(rows: VersionRow[], next?: string): VersjonssideDto {
  const versions = rows.map((row) => ({ laert: toRfc3339(row.laert), avtale: toAvtaleDto(row) }));
  return { versjoner: versions, ...nextPage(next) };
}

function nextPage(cursor: string | undefined): { neste?: string } {
  return cursor === undefined ? {} : { neste: cursor };
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
