import { freePort, onDuty, syntheticFnr } from '@tiltak/testing';
import { deltakerIdOf, type System } from '../../e2e/system.ts';
import {
  auditorClientId,
  migrateDatabase,
  startAuditorPageProcess,
  waitUntilReady,
  type App,
} from '../../local/apps.ts';
import { CpuMeter } from '../measuring/machine.ts';
import { takeRounds, type Round } from '../measuring/rounds.ts';
import { timesOf, type Span } from '../measuring/statistics.ts';
import { Findings, type RunOptions } from '../results.ts';
import { withRig, type Rig } from '../rig.ts';
import { withClient } from '../servers.ts';

const LOOKUPS = 100_000_000;
const OF_TRIAL = 40_000;
/** Look-ups of a month; the month that is being written has half as many. */
const OF_MONTH = 2_500_000;
/** of an ordinary person over all the years, about; and of each of the few that many look up */
const [ORDINARY, FREQUENT] = [100, 10_000];
/** persons of each kind that are asked about */
const ASKED = 25;
/** Lines of the change feed, of its ninety days, and of a page of it; one in a thousand is of those who are asked about. */
const [FEED, OF_PAGE] = [1_000_000, 40];

type Values = Record<string, number>;

/** Who has seen this person, from years of look-ups: by the page of auditors, over HTTP. */
export function audit(options: RunOptions): Promise<Findings> {
  const lookups = options.count ?? (options.trial ? OF_TRIAL : LOOKUPS);
  return withRig(undefined, async (rig) => {
    const system = await rig.createSystem(1);
    try {
      return await measure(rig, system, await fill(system, lookups), { ...options, count: lookups });
    } finally {
      await system.stop();
    }
  });
}

async function measure(
  rig: Rig,
  system: System,
  persons: Persons,
  options: RunOptions & { count: number },
): Promise<Findings> {
  const findings = new Findings({ 'look-ups': options.count });
  const sizes = await readSizes(system, options.count);
  const app = await startPage(system);
  try {
    const taken = await takeRounds(rig.rounds(options), async (round) => ({
      ...sizes,
      ...(await measureAll(rig, round, { system, app }, persons)),
    }));
    findings.add('', taken);
  } finally {
    await app.proc.stop();
  }
  return findings;
}

/** National idents, by how often they were looked up. */
interface Persons {
  ordinary: string[];
  frequent: string[];
}

/** Look-ups by SQL, a month at a time, and what the migration job makes of months that are over. */
async function fill(system: System, lookups: number): Promise<Persons> {
  const ingestor = await system.startIngestor();
  const idents = Array.from({ length: 2 * ASKED }, (_, nr) => syntheticFnr(nr + 1));
  const avtaleOf = (nr: number): string => `00000000-0000-4000-8000-${String(nr).padStart(12, '0')}`;
  const avtaler = idents.map((deltakerFnr, nr) => ({
    ...{ avtaleId: avtaleOf(nr), deltakerFnr, sistEndret: '2020-01-01T00:00:00Z' },
  }));
  await system.publish(avtaler.map((avtale) => ({ key: avtale.avtaleId, value: JSON.stringify(avtale) })));
  await system.waitForIngested();
  await ingestor.proc.stop();
  // As if they had been here for as long as somebody has asked: nothing can be ruled out for being older.
  await system.sql(`update avtale_versjon set laert = now() - interval '20 years'`);
  const months = Math.max(1, Math.ceil(lookups / OF_MONTH));
  await withClient(system.url, async (db) => {
    // Of everything up to this month, as the table is that was there before there were months.
    await db.query(`do $$ begin
      execute format('drop table %s', (select partisjon from partisjoner_av('oppslagslinje') where fra is null and til is not null));
    end $$`);
    await db.query(
      `insert into oppslagslinje (tidspunkt, konsument, operasjon, felter, tillatt, call_id, personer)
       select date_trunc('month', now()) - make_interval(months => n), 'bench', 'sokAvtaler', '{}', true, 'x', '{}'
       from generate_series(0, $1::int - 1) n`,
      [months],
    );
    await db.query('select lag_partisjoner(); delete from oppslagslinje');
    await db.query(`${POSITION} truncate endring`);
    await db.query(CHANGES, [avtaler.map(({ avtaleId }) => avtaleId)]);
    await db.query('select lag_partisjoner()');
    await db.query(PREPARE, [idents.map(deltakerIdOf), ASKED, Math.max(2 * ASKED, Math.round(lookups / ORDINARY))]);
    for (let [month, left] = [months - 1, lookups]; month >= 0; month--) {
      const here = month === 0 ? left : Math.min(left, OF_MONTH);
      await db.query(MONTH, [month, here, Math.max(0.0001, (FREQUENT * ASKED) / lookups)]);
      left -= here;
      console.error(`  ${String(month)} months left …`);
    }
    await db.query('vacuum (analyze) oppslagslinje');
  });
  // The job makes the indexes of the months that are over.
  await migrateDatabase(system.env);
  return { ordinary: idents.slice(ASKED), frequent: idents.slice(0, ASKED) };
}

/** Persons by number: those that are asked about first, and the rest of them made up. */
const PREPARE = `select set_config('bench.id', ($1::uuid[])::text, false), set_config('bench.mange', ($2::int)::text, false),
  set_config('bench.antall', ($3::int)::text, false), setseed(0.5)`;

const PERSON = `case when nr <= array_length(kjent, 1) then kjent[nr] else md5('person ' || nr)::uuid end`;

/** A place in the change feed as consumers get it, by the number of its line; those from before the feed are negative. */
const POSITION = `
  create function pg_temp.til36(n bigint) returns text language sql immutable as $$
    select string_agg(substr('0123456789abcdefghijklmnopqrstuvwxyz', (n / (36 ^ i)::bigint % 36)::int + 1, 1), '' order by i desc)
    from generate_series(0, 5) i $$;
  create function pg_temp.posisjon(nr bigint) returns text language sql immutable as $$
    select rtrim(translate(encode(convert_to('0a1b2c3d.' || pg_temp.til36(5000000 + nr) || '.' || pg_temp.til36(5000000 + nr) || '.4e5f6a7b',
      'UTF8'), 'base64'), '+/', '-_'), '=') $$;
  create function pg_temp.linje(da timestamptz) returns bigint language sql stable as $$
    select floor((1 - extract(epoch from now() - da) / extract(epoch from interval '90 days')) * ${String(FEED)})::bigint $$;`;

const CHANGES = `
  insert into endring (tx, lopenr, avtale_id, type, tidspunkt) overriding system value
  select (5000000 + n)::text::xid8, 5000000 + n,
    case when n % 1000 = 7 then ($1::uuid[])[1 + n / 1000 % array_length($1::uuid[], 1)] else md5('avtale ' || n)::uuid end, 'ENDRET',
    now() - interval '90 days' * (1 - n::float8 / ${String(FEED)})
  from generate_series(1, ${String(FEED)}) n`;

/**
 * Of a hundred look-ups, three are of 2 to 81 persons; of ten thousand, ten are of nobody (exports, pages of changes,
 * statistics), and ten are pages of a subscription, which name persons. One consumer has its own way of asking for each,
 * so forms are shared as they are by the query-api.
 */
const MONTH = `
  insert into oppslagslinje (tidspunkt, form, antall_treff, tillatt, call_uuid, posisjon, utvalg, person, personer)
  select tidspunkt,
    case when slag < 0.001 then ingen[1 + n % 3] when slag < 0.002 then ingen[2] else noen[1 + n % 4] end,
    case when slag >= 0.002 then 1 when n % 3 = 0 then 100000 else ${String(OF_PAGE)} end, true, gen_random_uuid(),
    case when slag < 0.002 then pg_temp.posisjon(pg_temp.linje(tidspunkt)) end,
    case when slag >= 0.002 then null
      when slag >= 0.001 then jsonb_build_object('abonnement', 'mine', 'etter', pg_temp.posisjon(pg_temp.linje(tidspunkt) - ${String(OF_PAGE)}))
      when n % 3 = 0 then '{"alle": true}'
      when n % 3 = 1 then jsonb_build_object('etter', pg_temp.posisjon(pg_temp.linje(tidspunkt) - ${String(OF_PAGE)}))
      else jsonb_build_object('per', '{STATUS}'::text[], 'tidspunkt', date_trunc('hour', tidspunkt)) end,
    case when slag >= 0.031 then ${PERSON} end,
    case when slag >= 0.001 and slag < 0.031
      then array(select md5('person ' || floor(antall_personer * random())::int)::uuid from generate_series(1, 2 + n % 80)) end
  from (
    select n, random() as slag, fra, til, antall, kjent, antall_personer, ingen, noen,
      fra + (coalesce(least(til, now()), til) - fra) * (n::float8 / antall) as tidspunkt,
      (case when random() < $3::float8 then 1 + floor(mange * random()) else mange + 1 + floor((antall_personer - mange) * random()) end)::int as nr
    from (
      select date_trunc('month', now()) - make_interval(months => $1::int) as fra,
        date_trunc('month', now()) - make_interval(months => $1::int - 1) as til, $2::int as antall,
        current_setting('bench.id')::uuid[] as kjent, current_setting('bench.mange')::int as mange,
        current_setting('bench.antall')::int as antall_personer,
        array(select oppslagsform_nr('bench', 'B0', o, '{avtaleId}') from unnest('{eksporterAvtaler,hentEndringer,hentStatistikk}'::text[]) o) as ingen,
        array(select oppslagsform_nr(k, 'B0', 'hentTiltaksstatus', '{harTiltak,avtaler}') from unnest('{en,to,tre,fire}'::text[]) k) as noen
      offset 0) g, generate_series(1, $2::int) n) linje`;

async function readSizes(system: System, lookups: number): Promise<Values> {
  const [row] = await system.sql<Values>(`
    select sum(pg_relation_size(relid))::float8 / ${String(lookups)} as "bytes.table",
      sum(pg_indexes_size(relid))::float8 / ${String(lookups)} as "bytes.indexes", count(*)::int as months
    from pg_partition_tree('oppslagslinje') where isleaf and pg_relation_size(relid) > 0`);
  return row ?? {};
}

async function startPage(system: System): Promise<App> {
  const app = startAuditorPageProcess(system.env, await freePort());
  await waitUntilReady(app);
  return app;
}

interface Asked {
  system: System;
  app: App;
}

async function measureAll(rig: Rig, round: Round, asked: Asked, persons: Persons): Promise<Values> {
  const values: Values = {};
  for (const [kind, idents] of Object.entries(persons) as [string, string[]][]) {
    const meter = new CpuMeter({ 'query-api': asked.app.proc.pid, postgres: rig.postgres.proc().pid });
    const { spans, lines } = await round.measure(() => askAll(asked, idents));
    const { p50, max } = timesOf(spans);
    Object.assign(values, { [`${kind}.p50`]: p50, [`${kind}.max`]: max, [`${kind}.lines`]: lines / idents.length });
    for (const [name, micros] of Object.entries(meter.read()))
      values[`${kind}.cpu.${name}`] = micros / idents.length / 1_000;
  }
  return values;
}

/** One after the other, as one auditor asks. */
async function askAll({ system, app }: Asked, idents: readonly string[]): Promise<{ spans: Span[]; lines: number }> {
  const spans: Span[] = [];
  let lines = 0;
  for (const person of idents) {
    const token = await system.token({
      azp: auditorClientId(system.env.organisasjon),
      audience: auditorClientId(system.env.organisasjon),
      claims: { ...onDuty(), roles: ['revisor'] },
    });
    const from = performance.now();
    const response = await fetch(`${app.url}/revisor/v1/oppslag`, {
      ...{ method: 'POST', headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' } },
      body: JSON.stringify({ person, begrunnelse: 'Personen har bedt om innsyn' }),
    });
    const text = await response.text();
    spans.push({ from, to: performance.now() });
    if (response.status !== 200) throw new Error(`The page answered ${String(response.status)}: ${text}`);
    const { grupper } = JSON.parse(text) as { grupper: { antall: number }[] };
    lines += grupper.reduce((sum, { antall }) => sum + antall, 0);
  }
  return { spans, lines };
}
