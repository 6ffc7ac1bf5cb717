import { startTestIngest, type TestIngest } from '../testing/test-ingest.ts';
import { SubscriptionCleanup } from './subscriptions.job.ts';

let setup: TestIngest;
beforeAll(async () => {
  setup = await startTestIngest();
});
afterAll(() => setup.stop());

test('subscriptions go when nobody has used them for 90 days, or nobody tells of their consumer any more, and with the last what is written for them', async () => {
  await setup.owner.query(`
    insert into abonnement (konsument, behandlingsgrunnlag, navn, sist_brukt, sist_registrert) values
      ('a', 'B', 'brukt', now() - interval '89 days', now()),
      ('a', 'B', 'ubrukt', now() - interval '91 days', now()),
      ('b', 'B', 'borte', now(), now() - interval '2 hours'),
      ('c', 'B', 'nylig', now(), now() - interval '30 minutes');
    insert into abonnement_medlem (abonnement, noekkel) select id, 'B1' from abonnement;
    insert into abonnement_medlem (abonnement, noekkel, lagt_til, fjernet) select id, 'B2', '5', '7' from abonnement;`);
  const { dataSource } = setup.ingestor;
  if (!dataSource.isInitialized) await dataSource.initialize();
  const left = async (): Promise<string[]> => {
    await new SubscriptionCleanup(dataSource).clean();
    const rows = await setup.owner.query<{ navn: string }[]>('select navn from abonnement order by navn');
    return rows.map(({ navn }) => navn);
  };
  // While no query-api says which consumers there are, nobody is taken to be gone.
  expect(await left()).toEqual(['borte', 'brukt', 'nylig']);
  await setup.owner.query('update abonnering set konsumenter_meldt = now()');
  expect(await left()).toEqual(['brukt', 'nylig']);
  const count = 'select count(*)::int as n from abonnement_medlem';
  expect(await setup.owner.query(count)).toEqual([{ n: 4 }]);
  // What was taken out before the feed begins is of no use to anybody.
  await setup.owner.query(`update instans set beskaaret_til = '8'`);
  await left();
  expect(await setup.owner.query(count)).toEqual([{ n: 2 }]);
  expect(await setup.owner.query('select distinct antall_alle, slag from abonnement')).toEqual([
    { antall_alle: 1, slag: ['B'] },
  ]);
  await setup.owner.query(`
    delete from abonnement;
    update abonnering set foelges = true;
    insert into avtale_endring (avtale_id) values (gen_random_uuid())`);
  await left();
  expect(await setup.owner.query('select foelges, (select count(*)::int from avtale_endring) from abonnering')).toEqual(
    [{ foelges: false, count: 0 }],
  );
  await dataSource.destroy();
});
