import type { AvtaleField, RelationName } from '@tiltak/avtale';
import {
  MAX_LINKS,
  type AvtaleDto,
  type AvtaleLenkerDto,
  type AvtalesideDto,
  type LenkeDto,
  type UtdragDto,
  type UtdragssideDto,
  type VersjonDto,
  type VersjonssideDto,
} from './avtaler.dto.ts';
import { jsonMapper, toRfc3339, type AvtaleRow } from './avtaler.fields.ts';
import { inPieces, pieces, type Written } from '../shared/in-pieces.ts';
import { BEDRIFT_NR } from '../shared/lists.ts';
import type { VersionRow } from './avtaler.queries.ts';

type Whole = Omit<AvtaleDto, '_links'>;

/** Of a row read with `wholeSelection` of these fields, as consumers get it. */
export function toAvtaleDto(fields: readonly AvtaleField[]): (row: AvtaleRow) => AvtaleDto {
  const toWhole = jsonMapper<Whole>(fields);
  return (row) => ({ ...toWhole(row), _links: linksOf(row) });
}

export function toAvtaleside(
  fields: readonly AvtaleField[],
): (rows: AvtaleRow[], next?: string) => Promise<Written<AvtalesideDto>> {
  const toAvtale = toAvtaleDto(fields);
  return (rows, next) => inPieces<AvtalesideDto>({ avtaler: pieces(rows, toAvtale), ...nextPage(next) });
}

export function toUtdragsside(
  fields: readonly AvtaleField[],
  rows: AvtaleRow[],
  next?: string,
): Promise<Written<UtdragssideDto>> {
  return inPieces<UtdragssideDto>({ avtaler: pieces(rows, jsonMapper<UtdragDto>(fields)), ...nextPage(next) });
}

export function toVersjonsside(
  fields: readonly AvtaleField[],
): (rows: VersionRow[], next?: string) => Promise<Written<VersjonssideDto>> {
  const toAvtale = toAvtaleDto(fields);
  return (rows, next) => {
    const toVersion = (row: VersionRow): VersjonDto => ({ laert: toRfc3339(row.laert), avtale: toAvtale(row) });
    return inPieces<VersjonssideDto>({ versjoner: pieces(rows, toVersion), ...nextPage(next) });
  };
}

function nextPage(cursor: string | undefined): { neste?: string } {
  return cursor === undefined ? {} : { neste: cursor };
}

/** Of a row with avtale_id, deltaker_id, bedrift_nr and relasjoner; without the last, it has no links to other avtaler. */
export function linksOf(row: AvtaleRow): AvtaleLenkerDto {
  const { avtale_id: avtaleId, deltaker_id: deltakerId, bedrift_nr: bedriftNr } = row;
  const deltaker = deltakerId ? { href: `/api/v1/deltakere/${String(deltakerId)}/avtaler` } : undefined;
  return {
    self: avtaleLink(String(avtaleId)),
    ...(deltaker ? { deltaker } : {}),
    // Very old avtaler have no number, or something that isn't one, which is found all the same.
    ...(BEDRIFT_NR.test(String(bedriftNr ?? ''))
      ? { bedrift: { href: `/api/v1/bedrifter/${encodeURIComponent(String(bedriftNr))}/avtaler` } }
      : {}),
    ...unitLinks(row),
    ...(row['relasjoner'] ? relatedLinks(String(row['relasjoner']), deltaker) : {}),
  };
}

const ORGANISATION = /^\d{9}$/;

/** To virksomheter, for who is granted `hovedenhet`: the column is there for no others. */
function unitLinks({ bedrift_nr: bedriftNr, hovedenhet }: AvtaleRow): Partial<AvtaleLenkerDto> {
  if (hovedenhet === undefined) return {};
  return {
    ...(ORGANISATION.test(String(bedriftNr ?? '')) && { virksomhet: unitLink(String(bedriftNr)) }),
    ...(hovedenhet !== null && { hovedenhet: unitLink(String(hovedenhet)) }),
  };
}

function unitLink(number: string): LenkeDto {
  return { href: `/api/v1/virksomheter/${number}` };
}

/**
 * @param relations as `columnsFor` has them read
 * @param all where all of them are
 */
function relatedLinks(relations: string, all: LenkeDto | undefined): Partial<AvtaleLenkerDto> {
  const links: Partial<AvtaleLenkerDto> = {};
  for (const relation of relations.split(',')) {
    const [name, to = ''] = relation.split(' ') as [RelationName, string];
    // An avtale has at most one before it, and one after.
    if (name === 'forrige' || name === 'neste') links[name] = avtaleLink(to);
    else {
      const ofThis = (links[name] ??= []);
      if (ofThis.length < MAX_LINKS) ofThis.push(avtaleLink(to));
      else if (all) links.flere = all;
    }
  }
  return links;
}

function avtaleLink(avtaleId: string): LenkeDto {
  return { href: `/api/v1/avtaler/${avtaleId}` };
}
