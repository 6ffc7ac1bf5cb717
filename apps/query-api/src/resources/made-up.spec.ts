import { RESOURCES } from './resources.ts';
import type { ReadResource } from './resource.ts';

/**
 * A third resource, of which nothing else knows: its definition is all that its folder holds, and its line in the register
 * and a migration all that is done besides (CONTRIBUTING, a new resource).
 */
const SKOLER: ReadResource = {
  resource: {
    ...{ name: 'skoler', table: 'skole', key: 'skoleId', order: 'sistEndret' },
    fields: {
      skoleId: field('Identifies the school', 'text', true),
      navn: field('Its name', 'text'),
      elever: field('Pupils', 'integer'),
      sistEndret: field('When it was changed', 'instant', true),
    },
  },
  derived: {},
  operations: { search: 'sokSkoler', one: 'hentSkole', changes: 'hentSkoleendringer', export: 'eksporterSkoler' },
  schemas: {
    ...{ one: 'Skole', links: 'SkoleLenker', page: 'Skoleside', search: 'SkoleSok', field: 'Skolefelt' },
    ...{ change: 'Skoleendring', changes: 'Skoleendringsside' },
  },
  words: {
    ...{ tag: 'Skoler', about: 'Which schools are there?', one: 'skole', several: 'skoler' },
    ...{ search: 'Which match?', oneQuestion: 'What is it?', changes: 'What has changed?', export: 'All of them?' },
  },
  examples: { skoleId: 'S1', navn: 'Fjell skole', elever: 200, sistEndret: '2026-01-01T00:00:00Z' },
  keyPattern: '^S[0-9]+$',
  filters: {
    navn: {
      ...{ by: 'looking', field: 'navn', reads: 'navn', pattern: '^.{1,50}$', form: 'must be a name' },
      ...{ description: 'Its name', example: 'Fjell skole' },
    },
  },
  searches: { navn: { summary: 'By name', value: { navn: 'Fjell skole' } } },
  links: {},
};

function field(
  meaning: string,
  read: 'text' | 'integer' | 'instant',
  required?: true,
): ReadResource['resource']['fields'][string] {
  return {
    ...{ meaning, read, personalData: 'VIRKSOMHET', since: '9.9.9', source: 'x', about: 'skole' },
    ...(required && { required }),
  };
}

RESOURCES.push(SKOLER);
// Only now: what follows from the register is worked out when it is imported.
const { startTestApi } = await import('../testing/test-api.ts');

test('a made-up resource has search, look-up, feed, export, document, grants and audit, by its definition alone', async () => {
  const api = await startTestApi();
  try {
    await api.setFreshness(new Date());
    await api.owner.query(`
      create table skole (skole_id text primary key, navn text, elever integer, sist_endret timestamptz(6));
      create view skole_synlig as select * from skole;
      create table skole_endring (tx xid8 default pg_current_xact_id(), lopenr bigint generated always as identity,
        skole_id text, type text, aarsak text, tidspunkt timestamptz default now());
      grant select on skole_synlig, skole_endring to datadeling_leser;
      insert into skole values ('S1', 'Fjell skole', 200, '2026-01-01T00:00:00Z'), ('S2', 'Dal skole', null, now());
      insert into skole_endring (skole_id, type) values ('S1', 'ENDRET')`);
    await api.feedSeen();
    const fjell = { skoleId: 'S1', navn: 'Fjell skole', elever: 200, sistEndret: '2026-01-01T00:00:00Z' };
    const _links = { self: { href: '/api/v1/skoler/S1' } };
    const as = 'skoler';
    const found = await api.call('POST', '/api/v1/skoler/sok', { body: { navn: 'Fjell skole' }, as });
    expect(found.body).toEqual({ skoler: [{ ...fjell, _links }] });
    expect((await api.call('GET', '/api/v1/skoler/S1', { as })).body).toEqual({ ...fjell, _links });
    expect((await api.call('GET', '/api/v1/skoler/S9', { as })).status).toBe(404);
    expect((await api.call('GET', '/api/v1/skoler/x', { as })).status).toBe(400);
    expect((await api.call('GET', '/api/v1/skoler/endringer', { as })).body.endringer).toMatchObject([
      { skoleId: 'S1', type: 'ENDRET', _links: { skole: _links.self } },
    ]);
    const lines = String((await api.call('GET', '/api/v1/skoler/eksport?felter=elever', { as })).body).split('\n');
    expect(lines.slice(1).filter(Boolean).sort()).toEqual([
      '{"skoleId":"S1","elever":200}',
      '{"skoleId":"S2","elever":null}',
    ]);
    expect((await api.call('GET', '/api/v1/skoler/S1', { as: 'graadig' })).status).toBe(403);
    const { paths, components } = (await api.call('GET', '/openapi.json', { token: null })).body;
    expect(Object.keys(paths)).toEqual(expect.arrayContaining(['/api/v1/skoler/sok', '/api/v1/skoler/{skoleId}']));
    expect(components.schemas.Skole.properties.elever.description).toContain('Pupils');
    const [purpose] = (await api.call('GET', '/api/v1/tilgang', { as })).body.behandlingsgrunnlag;
    expect(purpose.felter.map(({ felt }: { felt: string }) => felt)).toEqual(expect.arrayContaining(['skoler.elever']));
    const told = (await api.audit(5)).map(({ operasjon }) => operasjon);
    expect(told).toEqual(expect.arrayContaining(Object.values(SKOLER.operations)));
  } finally {
    await api.stop();
  }
});
