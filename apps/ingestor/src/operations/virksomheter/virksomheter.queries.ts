import type { Pool } from 'pg';

/** What those on duty are told of employers without naming any. */
export interface VirksomhetFigures {
  missing: number;
  oldestMissing: Date | null;
  /** avtaler that name one that is missing */
  avtalerOfMissing: number;
  withoutHovedenhet: number;
  untold: number;
  parked: number;
  gaps: number;
}

export async function readVirksomhetFigures(db: Pool, topic: string): Promise<VirksomhetFigures> {
  const { rows } = await db.query<VirksomhetFigures>(
    `select m.antall as missing, m.eldste as "oldestMissing", m.avtaler as "avtalerOfMissing",
       (select count(*)::int from virksomhet
         where slettet is null and overordnet_enhet is not null and hovedenhet is null) as "withoutHovedenhet",
       (select count(*)::int from hovedenhet_varsel) as untold,
       (select count(*)::int from parkert_melding where tilstand = 'PARKERT' and topic = $1) as parked,
       (select count(*)::int from konsum_hull where lukket is null and topic = $1) as gaps
     from (select count(*)::int as antall, min(siden) as eldste, coalesce(sum(avtaler), 0)::float8 as avtaler
       from manglende_virksomhet) m`,
    [topic],
  );
  const [figures] = rows;
  if (!figures) throw new Error('A select without a table gives one row');
  return figures;
}

/** The place after a row in the list of those that are missing. */
export interface MissingPlace {
  /** since 1970 */
  microseconds: string;
  organisasjonsnummer: string;
}

export interface MissingRow {
  organisasjonsnummer: string;
  siden: Date;
  avtaler: number;
  virksomheter: number;
  microseconds: string;
}

/** Those that have been missing for longest first. */
export async function listMissing(db: Pool, after: MissingPlace | undefined, count: number): Promise<MissingRow[]> {
  const { rows } = await db.query<MissingRow>(
    `select organisasjonsnummer, siden, avtaler, virksomheter,
       (extract(epoch from siden) * 1000000)::bigint as microseconds
     from manglende_virksomhet
     where (siden, organisasjonsnummer)
       > (timestamptz 'epoch' + coalesce($1::bigint, -1) * interval '1 microsecond', coalesce($2, ''))
     order by siden, organisasjonsnummer limit $3`,
    [after?.microseconds, after?.organisasjonsnummer, count],
  );
  return rows;
}

export interface ChainRow {
  organisasjonsnummer: string;
  /** of all that say what is right above them: from the unit upwards, until one comes again or nothing more is said */
  chain: string[];
  isCycle: boolean;
}

/** Levels that are looked at: more than any register has. */
const MAX_LOOKED_AT = 100;

/** Those that have no hovedenhet, though they say that something is above them; by number. */
export async function listWithoutHovedenhet(db: Pool, after: string, count: number): Promise<ChainRow[]> {
  const { rows } = await db.query<ChainRow>(
    `with recursive side as materialized (
       select organisasjonsnummer as nr from virksomhet
       where slettet is null and overordnet_enhet is not null and hovedenhet is null and organisasjonsnummer > $1
       order by organisasjonsnummer limit $2
     ), kjede (nr, vei, er_sirkel) as (
       select nr, array[nr], false from side
       union all
       select kjede.nr, vei || v.overordnet_enhet, v.overordnet_enhet = any (vei)
       from kjede join virksomhet v on v.organisasjonsnummer = vei[cardinality(vei)]
       where v.slettet is null and v.overordnet_enhet is not null and not er_sirkel
         and cardinality(vei) <= ${String(MAX_LOOKED_AT)}
     )
     select distinct on (nr) nr as organisasjonsnummer, vei as chain, er_sirkel as "isCycle"
     from kjede order by nr, cardinality(vei) desc`,
    [after, count],
  );
  return rows;
}
