import { summarizeUsage } from '../statistics/usage.job.ts';
import { startTestIngest, type TestIngest } from '../testing/test-ingest.ts';

/** What the login of the ingestor may do, and what it may not. */
let setup: TestIngest;
beforeAll(async () => {
  setup = await startTestIngest();
});
afterAll(() => setup.stop());

test('the writer has the rows that it writes, and nothing more', async () => {
  const rows = await setup.owner.query<{ what: string }[]>(
    `select table_name || ' ' || string_agg(privilege_type, ' ' order by privilege_type) as what
     from information_schema.role_table_grants
     where grantee = 'datadeling_skriver' and table_schema = 'public' group by table_name order by 1`,
  );
  expect(rows.map(({ what }) => what)).toEqual([
    'abonnement DELETE SELECT',
    'abonnement_medlem DELETE SELECT',
    'abonnering SELECT',
    'adapter DELETE INSERT SELECT UPDATE',
    'avstemming DELETE INSERT SELECT',
    'avstemming_differanse INSERT SELECT',
    'avtale INSERT SELECT UPDATE',
    'avtale_endring DELETE SELECT',
    'avtale_synlig SELECT',
    'avtale_versjon DELETE INSERT SELECT',
    'driftshandling SELECT',
    'driftsmaaling DELETE INSERT SELECT',
    'endring DELETE INSERT SELECT',
    'gjenoppbygging INSERT SELECT UPDATE',
    'gjenoppbygging_fortalt DELETE INSERT SELECT UPDATE',
    'gjenoppbygging_partisjon INSERT SELECT UPDATE',
    'gjenoppbygging_person DELETE INSERT SELECT',
    'gjenoppbygging_ressurs_rettet INSERT SELECT',
    'gjenoppbygging_ressurs_sett DELETE INSERT SELECT',
    'gjenoppbygging_ressurs_talt DELETE INSERT SELECT',
    'gjenoppbygging_ressurs_usett INSERT SELECT',
    'gjenoppbygging_sett DELETE INSERT SELECT',
    'gjenoppbygging_usett INSERT SELECT',
    'hovedenhet_varsel DELETE INSERT SELECT UPDATE',
    'ingestor_i_drift SELECT',
    'instans SELECT',
    'konsum_hull INSERT SELECT',
    'konsum_offset DELETE INSERT SELECT UPDATE',
    'konsum_status DELETE INSERT SELECT UPDATE',
    'manglende_virksomhet DELETE INSERT SELECT UPDATE',
    'migrations SELECT',
    'parkert_handling INSERT SELECT UPDATE',
    'parkert_melding INSERT SELECT UPDATE',
    'partisjonering SELECT',
    'personident DELETE INSERT SELECT',
    'personident_foer INSERT',
    'registerbunke DELETE INSERT SELECT',
    'registerident DELETE INSERT SELECT',
    'registernoekkel_siden DELETE INSERT SELECT',
    'relasjon DELETE INSERT SELECT',
    'relasjonskontroll DELETE INSERT SELECT',
    'ressurs_status DELETE INSERT SELECT UPDATE',
    'stanset_partisjon DELETE INSERT SELECT UPDATE',
    'statistikk DELETE INSERT SELECT',
    'statistikk_tidspunkt INSERT SELECT UPDATE',
    'synk DELETE INSERT SELECT UPDATE',
    'synk_avtale DELETE INSERT SELECT',
    'synk_noekkel DELETE INSERT SELECT',
    'synk_side INSERT SELECT',
    'topic_epoke INSERT SELECT',
    'trigger_posisjon INSERT SELECT UPDATE',
    'virksomhet INSERT SELECT UPDATE',
    'virksomhet_endring DELETE INSERT SELECT',
    'virksomhet_synlig SELECT',
    'virksomhet_versjon DELETE INSERT SELECT',
  ]);
});

test.each([
  ['make a table', 'create table ny (n integer)'],
  ['make a temporary table', 'create temp table ny (n integer)'],
  ['change a table', 'alter table avtale add column ny integer'],
  ['read the audit of look-ups', 'select from oppslag'],
  ['read what consumers have used', 'select from konsumentbruk'],
  ['write the audit of look-ups', `insert into oppslag (konsument) values ('x')`],
  ['delete a parked message', 'delete from parkert_melding'],
  ['delete an avtale, which leaves a marker', 'delete from avtale'],
  ['say that a migration was done', `insert into migrations values (1, 1, 'x')`],
  ['change the content of a version', 'update avtale_versjon set avtale_nr = 1'],
])('it can not %s', async (_, sql) => {
  await expect(setup.pool.query(sql)).rejects.toMatchObject({ code: '42501' });
});

test('it can have the audit of look-ups summed up, without seeing any of it', async () => {
  await setup.owner.query(
    `insert into oppslagslinje (tidspunkt, konsument, operasjon, behandlingsgrunnlag, felter, person, tillatt, call_id)
     values (now() - interval '1 hour', 'k', 'hentAvtale', 'B1', '{avtaleId}', gen_random_uuid(), true, 'x')`,
  );
  await summarizeUsage(setup.pool);
  const rows = await setup.owner.query<{ felt: string }[]>('select felt from konsumentbruk order by 1');
  expect(rows).toEqual([{ felt: '' }, { felt: 'avtaleId' }]);
});

test('the owner of all there is, of the audits too, is neither app, and neither can become it', async () => {
  const rows = await setup.owner.query<{ owner: string; members: string[] }[]>(
    `select distinct o.rolname as owner, array(
       select rolname::text from pg_roles r where not rolsuper and rolcanlogin and pg_has_role(r.oid, o.oid, 'member')
     ) as members
     from pg_class c join pg_roles o on o.oid = relowner where relnamespace = 'public'::regnamespace`,
  );
  const { rows: ingestor } = await setup.pool.query<{ name: string }>('select current_user as name');
  expect(rows).toEqual([{ owner: expect.stringMatching(/_migrering$/), members: [rows[0]?.owner] }]);
  expect(rows[0]?.owner).not.toBe(ingestor[0]?.name);
});

test('each function that runs as the owner names its search path, and is for those who need it alone', async () => {
  const functions = await setup.owner.query<{ name: string; config: string[]; who: string[] }[]>(
    `select proname::text as name, proconfig as config, array(
       select coalesce(rolname::text, 'public') from aclexplode(proacl) a left join pg_roles r on r.oid = a.grantee
       where a.grantee <> proowner order by 1) as who
     from pg_proc where pronamespace = 'public'::regnamespace and prosecdef order by 1`,
  );
  expect(Object.fromEntries(functions.map(({ name, who }) => [name, who]))).toEqual({
    abonnement_person: [],
    abonnement_virksomhet: [],
    avtale_endring_endret: [],
    avtale_endring_lenker: [],
    avtale_endring_ny: [],
    bekreft_oppslagsarkiv: ['datadeling_revisor'],
    bruk_abonnement: ['datadeling_leser'],
    endring_noter_tidslinje: [],
    fjern_partisjon: ['datadeling_skriver'],
    foelg_avtaler: ['datadeling_leser'],
    fullfoer_driftshandling: ['datadeling_skriver'],
    hindring_oppslag: [],
    innsynsidenter: ['datadeling_revisor'],
    klargjoer_avstemming: ['datadeling_skriver'],
    klargjoer_innlasting: ['datadeling_skriver'],
    lag_partisjoner: ['datadeling_skriver'],
    lagre_abonnement: ['datadeling_leser'],
    meld_forbruk: ['datadeling_leser'],
    meld_ingestor: ['datadeling_skriver'],
    meld_konsumenter: ['datadeling_leser'],
    noter_tidslinje: ['datadeling_skriver'],
    oppslagsform_nr: ['datadeling_analyse', 'datadeling_leser'],
    oppsummer_bruk: ['datadeling_skriver'],
    partisjoner: ['datadeling_skriver'],
    personens_identer: ['datadeling_leser', 'datadeling_revisor'],
    registrer_analyseprodukt: ['datadeling_analyse'],
    rydd_abonnementer: ['datadeling_skriver'],
    rydd_parkerte: ['datadeling_skriver'],
    rydd_rapporter: ['datadeling_skriver'],
    skriv_oppslagslinje: [],
    slett_abonnement: ['datadeling_leser'],
    slutt_aa_foelge: ['datadeling_skriver'],
    tell_partisjon: ['datadeling_skriver'],
  });
  for (const { config } of functions) expect(config[0]).toBe('search_path=pg_catalog, public, pg_temp');
});
