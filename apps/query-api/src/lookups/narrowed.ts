import type { QueryResultRow } from 'pg';
import type { KindsHeldTo } from '../access/grant.ts';
import { isOfResource, NOT_AUDITED, type Operation } from '../access/operations.ts';
import { withPlannedLinks } from '../avtaler/avtaler.fields.ts';
import { chosenStatement, type Query } from './statement.ts';

/**
 * The operations whose statements read nothing but the views below, so that they can be held to some kinds of measure from
 * outside. All others are refused to a purpose that is held to some, unless they say that they have seen to it.
 */
export const NARROWED_OPERATIONS: ReadonlySet<Operation> = new Set<Operation>([
  'hentTiltaksstatus',
  'sokAvtaler',
  'hentUtdrag',
  'hentAvtale',
  'hentAvtaleMedNummer',
  'hentVersjoner',
  'hentDeltakersAvtaler',
  'hentBedriftensAvtaler',
]);

/** They say by themselves which kinds they ask for. */
const NARROWED_BY_THEMSELVES: ReadonlySet<Operation> = new Set<Operation>([
  'eksporterAvtaler',
  'lagreAbonnement',
  'hentAbonnement',
  'slettAbonnement',
  'endreMedlemmer',
]);

/** What a purpose that is held to some kinds of measure gets from an operation. */
export type KindsAnswer = 'SVARER' | 'BARE_MED_ABONNEMENT' | 'AVVIST';

export function answerWithKinds(operation: Operation): KindsAnswer {
  if (operation === 'hentEndringer') return 'BARE_MED_ABONNEMENT';
  const isHeld = NARROWED_OPERATIONS.has(operation) || NARROWED_BY_THEMSELVES.has(operation);
  // They tell of no avtale.
  return isHeld || isOfResource(operation) || NOT_AUDITED.has(operation) ? 'SVARER' : 'AVVIST';
}

/** The same query, where there are no avtaler but of these kinds, and no links to others. */
export function narrowed<Row extends QueryResultRow>(query: Query<Row>, kinds: KindsHeldTo): Query<Row> {
  const text = narrowedText(query.statement.text, kinds);
  return { ...query, statement: chosenStatement(text) };
}

/** Each view is hidden behind one of the same name that has less: a statement can't read past it by being forgotten. */
export function narrowedText(text: string, { stored }: KindsHeldTo): string {
  const ofKind = `tiltakstype in (${stored.map((kind) => `'${kind.replaceAll("'", "''")}'`).join(', ')})`;
  return `with avtale_synlig as not materialized (select * from public.avtale_synlig where ${ofKind}),
    avtale_versjon_synlig as not materialized (select * from public.avtale_versjon_synlig where ${ofKind}),
    relasjon_synlig as not materialized (select r.* from public.relasjon_synlig r
      where exists (select from public.avtale_synlig a where a.avtale_id = r.til and ${ofKind}))
    select smal.* from (${withPlannedLinks(text)}) smal`;
}
