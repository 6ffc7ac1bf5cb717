import type { AvtaleField } from '@tiltak/avtale';
import { columnsFor, type AvtaleRow } from '../avtaler/avtaler.fields.ts';
import { valuesThere } from '../avtaler/walk-lists.sql.ts';
import { chosenStatement, preparedStatement, type Query } from '../lookups/statement.ts';
import { lineAfter, type SubscriptionPlace } from './subscription-place.ts';

/** Whose subscription, and what it is called. */
export interface SubscriptionName {
  konsument: string;
  behandlingsgrunnlag: string;
  navn: string;
}

/** Lines of the whole feed, members, and avtaler of one member that a statement looks at, at most. */
const MAX_LINES = 4_000;
const MAX_MEMBERS = 1_000;
/** Avtaler of these that are judged, which costs far more than to find them: some more than lines that are told. */
const MAX_JUDGED = '2 * $8::bigint + 500';

interface StateColumns {
  epoke: string;
  beskaaret_til: string;
  /** transactions from this one on are not looked at yet */
  horisont: string;
  /** null when there is no such subscription */
  abonnement: string | null;
  /** a letter for each kind of members */
  slag: string | null;
}

const STATE = `tilstand as materialized (
    select endringsepoke() as epoke, i.beskaaret_til, pg_snapshot_xmin(pg_current_snapshot()) as horisont,
      a.id as abonnement, array_to_string(a.slag, '') as slag
    from instans i left join abonnement a on a.konsument = $1 and a.behandlingsgrunnlag = $2 and a.navn = $3)`;

export type NowRow = StateColumns & {
  /** the last transaction that has come to be of any meaning to it; null before there is one */
  siste: string | null;
};

/**
 * Where the feed of a subscription has come to. A transaction that wrote nothing is not it: its number may be given out
 * again when the server has crashed.
 */
const NOW = preparedStatement(`with ${STATE}
  select epoke, beskaaret_til, horisont, abonnement, slag, greatest(
    (select tx from endring where tx < t.horisont order by tx desc limit 1),
    (select tx from avtale_endring where tx < t.horisont order by tx desc limit 1),
    (select lagt_til from abonnement_medlem m where m.abonnement = t.abonnement and lagt_til < t.horisont
     order by lagt_til desc limit 1),
    (select fjernet from abonnement_medlem m where m.abonnement = t.abonnement and fjernet < t.horisont
     order by fjernet desc limit 1)) as siste
  from tilstand t`);

export function nowQuery({ konsument, behandlingsgrunnlag, navn }: SubscriptionName): Query<NowRow> {
  return { statement: NOW, values: [konsument, behandlingsgrunnlag, navn], keys: { types: [], maxShared: 1 } };
}

/** A line as it is told, with the content that the avtale had after it. */
export type ToldRow = AvtaleRow & {
  place_tx: string;
  place_key: string;
  place_avtale: string;
  type: string;
  reason: string | null;
  told_at: string;
  /** columns, with commas between; null: all of it is new to the subscription */
  changed: string | null;
  concerned_deltaker: string | null;
};

export type FeedRow = StateColumns & {
  /** up to where the statement has looked, when there is more after it */
  limit_tx: string | null;
  limit_key: string | null;
  limit_avtale: string | null;
  /** the last place that it has looked at; null: nothing lies after where it began */
  end_tx: string | null;
} & (ToldRow | { place_tx: null });

/** `start`: all that the subscription is of, as it was after the transaction of the place. */
type Mode = 'start' | 'changes';

const LOWEST = '00000000-0000-0000-0000-000000000000';
const HIGHEST = 'ffffffff-ffff-ffff-ffff-ffffffffffff';

const keysOf = (row: string, prefix = ''): string =>
  `array['P' || ${row}.${prefix}deltaker_id, 'B' || ${row}.${prefix}bedrift_nr, 'T' || ${row}.${prefix}tiltakstype]`;

/**
 * Those of a kind. In the index of kind, status and avtaleId they are in order for each status alone: of each that there
 * is the next are read, and of none more than there is use for.
 * Ordered so that no other index has that order: the primary key would be read from end to end for a kind that is rare.
 */
const OF_KIND = `
  select rad.avtale_id from (
    ${valuesThere('avtale_status', 'tiltakstype = e.kind')} status cross join lateral (
      select avtale_id from avtale_synlig
      where tiltakstype = e.kind and avtale_status <= status.verdi
        and (avtale_status, avtale_id) > (status.verdi, e.etter_avtale)
      order by avtale_status, avtale_id limit $8::bigint) rad)
  union all
  (select avtale_id from avtale_synlig where tiltakstype = e.kind and avtale_status is null and avtale_id > e.etter_avtale
   order by avtale_status, avtale_id limit $8::bigint)`;

/** The avtaler that a member may have been about then: those of it now, and those that have left it since. */
const OF_MEMBER = `
  (select avtale_id from avtale_synlig where deltaker_id = e.deltaker and avtale_id > e.etter_avtale order by avtale_id limit $8::bigint)
  union (select avtale_id from avtale_synlig where bedrift_nr = e.bedrift and avtale_id > e.etter_avtale order by avtale_id limit $8::bigint)
  union (select avtale_id from (${OF_KIND}) av_slag order by avtale_id limit $8::bigint)
  union select e.avtale where e.avtale > e.etter_avtale
  union (select distinct avtale_id from avtale_endring where foer_deltaker_id = e.deltaker and tx >= e.tx and avtale_id > e.etter_avtale
    and foer_deltaker_id is distinct from deltaker_id order by avtale_id limit $8::bigint)
  union (select distinct avtale_id from avtale_endring where foer_bedrift_nr = e.bedrift and tx >= e.tx and avtale_id > e.etter_avtale
    and foer_bedrift_nr is distinct from bedrift_nr order by avtale_id limit $8::bigint)
  union (select distinct avtale_id from avtale_endring where foer_tiltakstype = e.kind and tx >= e.tx and avtale_id > e.etter_avtale
    and foer_tiltakstype is distinct from tiltakstype order by avtale_id limit $8::bigint)`;

/** Whether the subscription has a member, at that time, that the avtale is of in that state. */
const has = (row: string, time: string): string => `
  (${row}.synlig and ($9::text[] is null or ${row}.tiltakstype = any ($9)) and (select count(*) > 0 from (
    select from abonnement_medlem m where m.abonnement = t.abonnement
      and m.noekkel = any (${keysOf(row)} || ('A' || k.avtale_id)) and ${time} limit 1) en))`;

const AFTER = 'm.lagt_til <= k.tx and (m.fjernet is null or m.fjernet > k.tx)';
const BEFORE = 'm.lagt_til < k.tx and (m.fjernet is null or m.fjernet >= k.tx)';

/** Members that began or ended after the place; or, to begin with, all there are. */
const MEMBERS = {
  start: `select $4::xid8 as tx, noekkel from (
      select distinct noekkel from abonnement_medlem m where m.abonnement = t.abonnement and m.noekkel >= $6::text
        and m.lagt_til <= $4::xid8 and (m.fjernet is null or m.fjernet > $4::xid8)
      order by noekkel limit ${String(MAX_MEMBERS)}) alle`,
  // Each once, however many idents or hovedenheter it is there by: as many rows of fewer would look like the last ones.
  changes: `(select distinct m.lagt_til as tx, m.noekkel from abonnement_medlem m where m.abonnement = t.abonnement
      and (m.lagt_til, m.noekkel) >= ($4::xid8, $6::text) and m.lagt_til < t.horisont
      order by m.lagt_til, m.noekkel limit ${String(MAX_MEMBERS)})
    union (select distinct m.fjernet, m.noekkel from abonnement_medlem m where m.abonnement = t.abonnement
      and (m.fjernet, m.noekkel) >= ($4::xid8, $6::text) and m.fjernet < t.horisont
      order by m.fjernet, m.noekkel limit ${String(MAX_MEMBERS)})`,
};

/** Of a member of the same moment that comes before this one, and tells of the avtale too. */
const TOLD_BY_EARLIER = {
  start: `select from abonnement_medlem m where m.abonnement = t.abonnement and m.noekkel < k.noekkel
    and m.noekkel = any (${keysOf('etter')} || ('A' || k.avtale_id)) and ${AFTER} limit 1`,
  changes: `select from abonnement_medlem m where m.abonnement = t.abonnement and m.noekkel < k.noekkel
    and m.noekkel = any (${keysOf('etter')} || ('A' || k.avtale_id)) and (m.lagt_til = k.tx or m.fjernet = k.tx) limit 1`,
};

/** The lines of the feed, and the members, that come next; which avtaler these may be of; and how far that reaches. */
const candidates = (mode: Mode): string => `
  linje as materialized (
    select r.* from tilstand t cross join lateral (
      select * from avtale_endring where (tx, avtale_id) > ($4::xid8, $5::uuid) and tx < t.horisont
        and t.abonnement is not null
      order by tx, avtale_id limit ${mode === 'start' ? '0' : String(MAX_LINES)}) r),
  medlem as materialized (
    select m.tx, m.noekkel, case when (m.tx, m.noekkel) = ($4::xid8, $6::text) then $7::uuid else '${LOWEST}'::uuid end as etter_avtale,
      case when left(m.noekkel, 1) = 'P' then substr(m.noekkel, 2)::uuid end as deltaker,
      case when left(m.noekkel, 1) = 'A' then substr(m.noekkel, 2)::uuid end as avtale,
      case when left(m.noekkel, 1) = 'B' then substr(m.noekkel, 2) collate "default" end as bedrift,
      case when left(m.noekkel, 1) = 'T' then substr(m.noekkel, 2) collate "default" end as kind
    from tilstand t cross join lateral (
      select * from (${MEMBERS[mode]}) alle order by tx, noekkel limit ${String(MAX_MEMBERS)}) m),
  funnet as materialized (
    select l.tx, '' collate "C" as noekkel, l.avtale_id from tilstand t cross join linje l
    where (select count(*) > 0 from (select from abonnement_medlem m where m.abonnement = t.abonnement and m.noekkel = any (
      ${keysOf('l')} || ${keysOf('l', 'foer_')} || ('A' || l.avtale_id)) limit 1) en)
    union all
    select e.tx, e.noekkel, x.avtale_id from medlem e cross join lateral (
      select avtale_id from (${OF_MEMBER}) alle order by avtale_id limit $8::bigint) x),
  kandidat as materialized (select * from funnet order by tx, noekkel, avtale_id limit ${MAX_JUDGED}),
  grense as materialized (
    select tx, noekkel, avtale_id from (
      (select tx, '' collate "C" as noekkel, avtale_id from linje where (select count(*) from linje) >= ${String(MAX_LINES)}
       order by tx desc, avtale_id desc limit 1)
      union all (select tx, noekkel, '${HIGHEST}'::uuid from medlem
        where (select count(*) from medlem) >= ${String(MAX_MEMBERS)} order by tx desc, noekkel desc limit 1)
      union all (select tx, noekkel, avtale_id from kandidat where (select count(*) from funnet) > ${MAX_JUDGED}
        order by tx desc, noekkel desc, avtale_id desc limit 1)
      union all (select tx, noekkel, (array_agg(avtale_id order by avtale_id desc))[1] from funnet where noekkel <> ''
        group by tx, noekkel having count(*) >= $8::bigint)) alle
    order by tx, noekkel, avtale_id limit 1),`;

/** What each of them was and is to the subscription, before and after the transaction. */
const judged = (mode: Mode): string => `
  vurdert as materialized (
    select k.tx, k.noekkel, k.avtale_id, etter.*, r.tidspunkt, r.aarsak, r.felter, r.tx is not null as er_linje,
      ${has('etter', AFTER)} as er_inne,
      ${mode === 'start' ? 'false' : has('foer', BEFORE)} as var_inne, foer.deltaker_id as foer_deltaker,
      k.noekkel <> '' and (select count(*) > 0 from (${TOLD_BY_EARLIER[mode]}) en) as fortalt
    from tilstand t cross join kandidat k
    left join lateral (select * from avtale_endring r where r.tx = k.tx and r.avtale_id = k.avtale_id
      and ${mode === 'start' ? 'false' : 'true'} offset 0) r on true
    cross join lateral (
      select * from (
        (select true as historisk, n.var_synlig as synlig, n.foer_deltaker_id as deltaker_id, n.foer_bedrift_nr as bedrift_nr,
           n.foer_tiltakstype as tiltakstype, n.foer_versjon as versjon
         from avtale_endring n where n.avtale_id = k.avtale_id and n.tx > k.tx and not n.kun_lenker order by n.tx limit 1)
        union all
        (select false, true, a.deltaker_id, a.bedrift_nr, a.tiltakstype, null
         from avtale_synlig a where a.avtale_id = k.avtale_id offset 0)
        union all select false, false, null, null, null, null) s
      order by historisk desc, synlig desc limit 1) etter
    cross join lateral (
      select case when r.kun_lenker is false then r.var_synlig else etter.synlig end as synlig,
        case when r.kun_lenker is false then r.foer_deltaker_id else etter.deltaker_id end as deltaker_id,
        case when r.kun_lenker is false then r.foer_bedrift_nr else etter.bedrift_nr end as bedrift_nr,
        case when r.kun_lenker is false then r.foer_tiltakstype else etter.tiltakstype end as tiltakstype) foer
    where (k.tx, k.noekkel, k.avtale_id) <= (
        coalesce((select tx from grense), '9223372036854775807'::xid8),
        coalesce((select noekkel from grense), '~' collate "C"),
        coalesce((select avtale_id from grense), '${HIGHEST}'::uuid))
      -- A member that came to be with a line is told of by that.
      and (k.noekkel = '' or r.tx is null)
      -- One that came to be the member's later is not told of by it now.
      and (k.noekkel = '' or k.noekkel = any (${keysOf('etter')} || ('A' || k.avtale_id)))
    order by k.tx, k.noekkel, k.avtale_id),`;

/** What is told of them, with the content. */
const told = (columns: string): string => `
  fortalt as materialized (
    select tx, noekkel, avtale_id, historisk, versjon, deltaker_id, coalesce(tidspunkt, now()) as told_at,
      case when er_inne then 'ENDRET' when synlig then 'UTENFOR' else 'SLETTET' end as type,
      case when not er_inne and not synlig then coalesce(aarsak, 'SLETTET') end as reason,
      case when er_inne and var_inne then array_to_string(felter, ',') end as changed,
      -- Who leaves is told of whose it was to it, and not of whose it has become.
      case when er_inne then deltaker_id else coalesce(foer_deltaker, deltaker_id) end as concerned_deltaker
    from vurdert
    where not fortalt and ((er_inne and (er_linje or not var_inne)) or (var_inne and not er_inne))
    order by tx, noekkel, avtale_id limit $8::bigint)
  select t.epoke, t.beskaaret_til, t.horisont, t.abonnement, t.slag, g.tx as limit_tx, g.noekkel as limit_key,
    g.avtale_id as limit_avtale, greatest((select tx from linje order by tx desc limit 1),
      (select tx from medlem order by tx desc limit 1)) as end_tx,
    f.tx as place_tx, f.noekkel as place_key, f.avtale_id as place_avtale, f.type, f.reason, f.told_at, f.changed,
    f.concerned_deltaker, innhold.*
  from tilstand t left join grense g on true left join fortalt f on true
  left join lateral (
    select * from (
      (select ${columns} from avtale_synlig where avtale_id = f.avtale_id and not f.historisk)
      union all
      (select ${columns} from avtale_versjon_synlig da where avtale_id = f.avtale_id and f.historisk and lopenr = f.versjon
         and not feilregistrert and deltaker_id is not distinct from f.deltaker_id)) alle) innhold on f.type = 'ENDRET'
  order by f.tx, f.noekkel, f.avtale_id`;

/**
 * What a subscription is told after a place: each avtale that a transaction changed, or that a member began or ended with,
 * by what it was and is. What it was after a transaction, the first one after it that changed it says, and if there is
 * none, the avtale itself.
 */
const textOf = (mode: Mode, columns: string): string =>
  `with ${STATE}, ${candidates(mode)} ${judged(mode)} ${told(columns)}`;

export interface FeedRequest extends SubscriptionName {
  place: SubscriptionPlace;
  /** lines, at most */
  count: number;
  fields: readonly AvtaleField[];
  /** kinds that the purpose is held to, as the source has them */
  kinds: readonly string[] | undefined;
}

export function feedQuery({ place, count, fields, kinds, ...name }: FeedRequest): Query<FeedRow> {
  const columns = columnsFor([...fields, 'avtaleId', 'deltakerId']);
  const { konsument, behandlingsgrunnlag, navn } = name;
  return {
    statement: chosenStatement(textOf(place.isStart ? 'start' : 'changes', columns)),
    values: [
      ...[konsument, behandlingsgrunnlag, navn, place.tx.toString(), lineAfter(place), place.key, place.avtaleId],
      ...[count, kinds ?? null],
    ],
    // One plan for all: to make it costs more than to run it.
    keys: { types: [], maxShared: 1 },
  };
}

export interface TouchedRow {
  epoke: string;
  horisont: string;
  /** null: none of them */
  abonnement: string | null;
  /** there were more lines than were looked at */
  flere: boolean;
}

/** Which of these subscriptions the lines of a few transactions are of: by the index of members, and not one by one. */
const TOUCHED = preparedStatement(`with tilstand as materialized (
    select endringsepoke() as epoke, pg_snapshot_xmin(pg_current_snapshot()) as horisont),
  linje as materialized (
    select r.* from tilstand t cross join lateral (
      select * from avtale_endring where tx >= $1::xid8 and tx < t.horisont order by tx limit ${String(MAX_LINES)}) r),
  nokkel as materialized (
    select distinct n from linje l cross join lateral unnest(
      ${keysOf('l')} || ${keysOf('l', 'foer_')} || ('A' || l.avtale_id)) n where n is not null),
  beroert as materialized (
    select distinct m.abonnement from nokkel cross join lateral (
      select abonnement from abonnement_medlem where noekkel = nokkel.n offset 0) m
    -- Not in the index: it would be looked into once for each of those who wait.
    where m.abonnement = any ($2::uuid[])
    union
    -- Other members, also when they were changed by another process.
    select v.id from tilstand t cross join unnest($2::uuid[]) v(id) where
      (select count(*) > 0 from (select from abonnement_medlem m where m.abonnement = v.id
        and m.lagt_til >= $1::xid8 and m.lagt_til < t.horisont limit 1) en)
      or (select count(*) > 0 from (select from abonnement_medlem m where m.abonnement = v.id
        and m.fjernet >= $1::xid8 and m.fjernet < t.horisont limit 1) en))
  select t.epoke, t.horisont, b.abonnement, (select count(*) from linje) >= ${String(MAX_LINES)} as flere
  from tilstand t left join beroert b on true`);

/** @param from the first transaction that is looked at */
export function touchedQuery(from: bigint, subscriptions: readonly string[]): Query<TouchedRow> {
  return { statement: TOUCHED, values: [from.toString(), subscriptions], keys: { types: [], maxShared: 1 } };
}

/** The avtaler that a subscription is of now, as a select of their ids: each member by its index. @param id a UUID */
export function avtalerOf(id: string): string {
  return `select x.avtale_id from (
      select case when left(noekkel, 1) = 'P' then substr(noekkel, 2)::uuid end as deltaker,
        case when left(noekkel, 1) = 'A' then substr(noekkel, 2)::uuid end as avtale,
        case when left(noekkel, 1) = 'B' then substr(noekkel, 2) collate "default" end as bedrift,
        case when left(noekkel, 1) = 'T' then substr(noekkel, 2) collate "default" end as kind
      from abonnement_medlem where abonnement = '${id}' and fjernet is null) m
    cross join lateral (
      select a.avtale_id from avtale_synlig a where a.deltaker_id = m.deltaker
      union all select a.avtale_id from avtale_synlig a where a.bedrift_nr = m.bedrift
      union all select a.avtale_id from avtale_synlig a where a.tiltakstype = m.kind
      union all select m.avtale where m.avtale is not null) x`;
}
