import { keysOf, preparedStatement, type Query } from '../lookups/statement.ts';

/** Of the consumer's use, as the audit was summed up; times as Postgres writes them in JSON. */
export interface UsageRow {
  /** null: nothing has been summed up yet */
  kjent_fra: string | null;
  kjent_til: string | null;
  /** by the clock of the database, like the others */
  now: string;
  /** JSON: a list of `UsedDto` */
  brukt: string;
}

export interface Used {
  behandlingsgrunnlag: string;
  operasjon: string;
  /** null: the operation itself */
  felt: string | null;
  sist: string;
}

/** One row, also of a consumer that has never looked anything up. */
export const usageOf = (konsument: string): Query<UsageRow> => ({
  statement: preparedStatement(`
    select to_jsonb(t.kjent_fra) #>> '{}' as kjent_fra, to_jsonb(t.kjent_til) #>> '{}' as kjent_til,
      to_jsonb(clock_timestamp()) #>> '{}' as now,
      coalesce((select jsonb_agg(jsonb_build_object('behandlingsgrunnlag', behandlingsgrunnlag, 'operasjon', operasjon,
        'felt', nullif(felt, ''), 'sist', sist_brukt)) from konsumentbruk where konsument = $1), '[]')::text as brukt
    from (select) as always left join konsumentbruk_tidsrom t on true`),
  values: [konsument],
  keys: keysOf(['text'], 1),
});
