import { readFileSync } from 'node:fs';
import pg from 'pg';
import { startTestApi, type TestApi } from '../testing/test-api.ts';
import { touchedQuery, feedQuery } from './subscription-feed.queries.ts';
let api: TestApi;
beforeAll(async () => { api = await startTestApi(); }, 120_000);
afterAll(() => api.stop());
const cpu = (pid: number): number => { const f = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' '); return (Number(f[11]) + Number(f[12])) * 10; };
const out = (...x: unknown[]): void => void process.stdout.write(x.join(' ') + '\n');
test('cost', async () => {
  const db = new pg.Client({ connectionString: api.database.url }); await db.connect();
  await db.query('set plan_cache_mode = force_generic_plan; set jit = off; set synchronous_commit = off');
  const pid = (await db.query('select pg_backend_pid() as p')).rows[0].p as number;
  await db.query(`insert into avtale (avtale_id, deltaker_id, bedrift_nr, tiltakstype, avtale_status, feilregistrert, kilde_partisjon, kilde_offset, sist_endret, versjon)
    select gen_random_uuid(), md5('p' || (n % 40000))::uuid, (910000000 + n % 5000)::text, 'MENTOR', 'X', false, 0, 0, now(), 1 from generate_series(1, 60000) n`);
  await db.query(`insert into avtale_versjon (avtale_id, deltaker_id, bedrift_nr, tiltakstype, avtale_status, feilregistrert, kilde_partisjon, kilde_offset, sist_endret, versjon)
    select avtale_id, deltaker_id, bedrift_nr, tiltakstype, avtale_status, false, 0, 0, sist_endret, versjon from avtale`);
  await db.query('analyze');
  const write = async (rounds: number, what: string): Promise<void> => {
    const ids = (await db.query('select avtale_id from avtale order by random() limit $1', [rounds * 50])).rows.map((r) => r.avtale_id as string);
    const c0 = cpu(pid);
    for (let i = 0; i < rounds; i++) {
      const some = ids.slice(i * 50, i * 50 + 50);
      await db.query('begin');
      await db.query({ name: 'u', text: `update avtale set versjon = versjon + 1, avtale_status = 'Y' || $2, sist_endret = now() where avtale_id = any($1)`, values: [some, String(i)] });
      await db.query({ name: 'v', text: `insert into avtale_versjon (avtale_id, deltaker_id, bedrift_nr, tiltakstype, avtale_status, feilregistrert, kilde_partisjon, kilde_offset, sist_endret, versjon) select avtale_id, deltaker_id, bedrift_nr, tiltakstype, avtale_status, false, 0, 0, sist_endret, versjon from avtale where avtale_id = any($1)`, values: [some] });
      await db.query({ name: 'e', text: `insert into endring (avtale_id, type) select unnest($1::uuid[]), 'ENDRET'`, values: [some] });
      await db.query('commit');
    }
    out('COST write', what, ((cpu(pid) - c0) / (rounds * 50)).toFixed(4), 'ms of CPU per change');
  };
  const N = 60;
  await db.query('alter table avtale disable trigger avtale_endring_endret; alter table endring disable trigger avtale_endring_lenker');
  await write(10, 'warm');
  await write(N, 'without triggers'); await write(N, 'without triggers');
  await db.query('alter table avtale enable trigger avtale_endring_endret; alter table endring enable trigger avtale_endring_lenker');
  await write(N, 'with triggers'); await write(N, 'with triggers');
  await db.query(`insert into abonnement (konsument, behandlingsgrunnlag, navn, slag) select 'k', 'B', n::text, '{P}' from generate_series(1, 1000) n`);
  await db.query(`set statement_timeout = 0`);
  const t = Date.now();
  await db.query(`insert into abonnement_medlem (abonnement, noekkel, ident) select id, 'P' || md5('q' || navn || '-' || n)::uuid, md5('q' || navn || '-' || n)::uuid from abonnement, generate_series(1, 200) n`);
  out('COST 200000 members', Date.now() - t, 'ms wall');
  await db.query('analyze abonnement_medlem, avtale_endring, abonnement');
  await write(N, 'with triggers and 1000 x 200 members');
  const ids = (await db.query('select id from abonnement')).rows.map((r) => r.id as string);
  const poll = async (what: string): Promise<void> => {
    const c = cpu(pid); let changes = 0;
    const txs = (await db.query('select tx::text as tx, count(*)::int as n from avtale_endring group by 1 order by 1::bigint desc limit 60')).rows;
    for (const row of txs.reverse()) { const q = touchedQuery(BigInt(row.tx), ids); await db.query({ name: 'touched', text: q.statement.text.replace('tx < t.horisont', `tx < ($1::text::bigint + 1)::text::xid8`), values: q.values as unknown[] }); changes += row.n; }
    out('COST poll', what, ((cpu(pid) - c) / changes).toFixed(4), 'ms of CPU per change', changes);
  };
  await poll('changes of nobody, 50 a poll'); await poll('changes of nobody, 50 a poll');
  await db.query(`update abonnement_medlem m set noekkel = 'P' || md5('p' || (abs(hashtext(m.ident::text)) % 40000))::uuid where m.ctid = any (array(select ctid from abonnement_medlem where random() < 0.2))`);
  await poll('each change of about one subscription');
  const { rows } = await db.query(`select navn, (select tx::text from avtale_endring order by tx desc offset 50 limit 1) as tx from abonnement limit 200`);
  const c1 = cpu(pid);
  for (const r of rows) { const q = feedQuery({ konsument: 'k', behandlingsgrunnlag: 'B', navn: r.navn, count: 100, fields: ['avtaleId', 'avtaleStatus'], kinds: undefined, place: { tx: BigInt(r.tx), key: '~', avtaleId: 'ffffffff-ffff-ffff-ffff-ffffffffffff', isStart: false } }); await db.query({ name: 'feed', text: q.statement.text, values: q.values as unknown[] }); }
  out('COST feed statement, 50 new lines', ((cpu(pid) - c1) / rows.length).toFixed(3), 'ms of CPU');
  await db.end();
}, 500_000);
