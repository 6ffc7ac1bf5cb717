import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { lagArbeidsmappe, ROT, ventTil } from '@tiltak/testing';
import { lagHendelser } from '@tiltak/simulator';
import type { App } from '../lokal/apper.ts';
import { System } from './system.ts';

/**
 * Differences of each kind, planted while the ingestor is at work, are all found and healed, and none is invented: by the
 * source's list and by the topic.
 */
let system: System;
let app: App;
const { katalog, rydd } = lagArbeidsmappe('avstemming');

beforeEach(async () => {
  system = await System.lag();
  app = await system.startIngestor();
}, 60_000);
afterEach(() => system.stopp());
afterAll(rydd);

const TYPER = ['MANGLER', 'UTDATERT', 'FREMMED', 'NYERE'] as const;
type Type = (typeof TYPER)[number];
type Differanser = Record<Type, string[]>;

async function kall(sti: string, valg: RequestInit = {}): Promise<Response> {
  const svar = await fetch(`${app.url}/drift/v1/avstemming${sti}`, {
    ...valg,
    headers: { authorization: `Bearer ${await system.tokenForVakt()}`, ...valg.headers },
  });
  if (!svar.ok) throw new Error(`${String(svar.status)}: ${await svar.text()}`);
  return svar;
}

async function avstem(liste?: string, per = new Date()): Promise<{ id: string; funnet: Differanser }> {
  const svar =
    liste === undefined
      ? await kall('?kilde=TOPIC', { method: 'POST' })
      : await kall(`?per=${per.toISOString()}`, {
          method: 'POST',
          headers: { 'content-type': 'application/x-ndjson' },
          body: liste,
        });
  const { id } = (await svar.json()) as { id: string };
  const funnet = await Promise.all(
    TYPER.map(async (type) => {
      const side = (await (await kall(`/${id}/differanser?type=${type}`)).json()) as {
        differanser: { avtaleId: string }[];
      };
      return [type, side.differanser.map(({ avtaleId }) => avtaleId)] as const;
    }),
  );
  return { id, funnet: Object.fromEntries(funnet) as Differanser };
}

async function rett(id: string, type: Type, bekreft?: number): Promise<{ rettet: number; igjen: number }> {
  const body = JSON.stringify({ type, ...(bekreft === undefined ? {} : { bekreft }) });
  const svar = await kall(`/${id}/rett`, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
  return (await svar.json()) as { rettet: number; igjen: number };
}

/** The source's list, as of what is published by now. */
function liste(): string {
  const avtaler = system.fasit().avtaler as { avtaleId: string; sistEndret: string }[];
  return avtaler.map(({ avtaleId, sistEndret }) => `${JSON.stringify({ avtaleId, sistEndret })}\n`).join('');
}

const FREMMEDE = [1, 2, 3].map((n) => `ffffffff-0000-4000-8000-00000000000${String(n)}`);

/** Some of each kind, in a database that agrees with the source. */
async function plant(): Promise<Differanser> {
  const rader = await system.sql<{ avtale_id: string }>(
    'select avtale_id from avtale where slettet is null and not feilregistrert order by avtale_id limit 15',
  );
  const ider = rader.map((rad) => rad.avtale_id);
  const [borte, eldre, nyere] = [ider.slice(0, 5), ider.slice(5, 10), ider.slice(10)];
  await system.sql('delete from avtale where avtale_id = any($1)', [borte]);
  await system.sql(`update avtale set sist_endret = sist_endret - interval '1 day' where avtale_id = any($1)`, [eldre]);
  await system.sql(`update avtale set sist_endret = sist_endret + interval '1 day' where avtale_id = any($1)`, [nyere]);
  await system.sql(
    `insert into avtale (avtale_id, feilregistrert, sist_endret, kilde_partisjon, kilde_offset)
     select unnest($1::uuid[]), false, '2026-01-01', 0, 0`,
    [FREMMEDE],
  );
  return { MANGLER: borte, UTDATERT: eldre, FREMMED: FREMMEDE, NYERE: nyere };
}

const INGEN: Differanser = { MANGLER: [], UTDATERT: [], FREMMED: [], NYERE: [] };

/** Publishes other avtaler until it is told to stop, and says how many messages that was. */
function forstyrr(seed: number): () => Promise<number> {
  let stoppet = false;
  let antall = 0;
  const ferdig = (async () => {
    // Bounded: all rounds are about the same few participants.
    for (let runde = 0; !stoppet && runde < 50; runde++) {
      const meldinger = [...lagHendelser({ antall: 200, seed: seed + runde })];
      await system.publiser(meldinger);
      antall += meldinger.length;
    }
  })();
  return async () => {
    stoppet = true;
    await ferdig;
    return antall;
  };
}

test.each(['LISTE', 'TOPIC'] as const)(
  'planted differences against %s, while the ingestor is at work',
  async (mot) => {
    await system.publiser([...lagHendelser({ antall: 1_500, seed: 1 })]);
    await system.ventPaaInnlest();
    const plantet = await plant();
    const per = new Date();
    const kildensListe = mot === 'LISTE' ? liste() : undefined;
    const stopp = forstyrr(100);
    try {
      const { id, funnet } = await avstem(kildensListe, per);
      expect(funnet).toEqual(plantet);
      expect(await rett(id, 'MANGLER')).toEqual({ rettet: 5, igjen: 0 });
      expect(await rett(id, 'UTDATERT')).toEqual({ rettet: 5, igjen: 0 });
      expect(await rett(id, 'FREMMED', 3)).toEqual({ rettet: 3, igjen: 0 });
    } finally {
      expect(await stopp()).toBeGreaterThan(0);
    }
    await ventTil(
      async () =>
        (await system.sql('select 1 from avtale where avtale_id = any($1) and slettet is null', [FREMMEDE])).length ===
        0,
      {
        hva: 'what the source does not have to be deleted',
      },
    );
    expect((await avstem(mot === 'LISTE' ? liste() : undefined)).funnet).toEqual({ ...INGEN, NYERE: plantet.NYERE });
    await system.sql(`update avtale set sist_endret = sist_endret - interval '1 day' where avtale_id = any($1)`, [
      plantet.NYERE,
    ]);
    const { avtaler } = await system.tilstand();
    expect(avtaler).toEqual(system.fasit().avtaler);
  },
  60_000,
);

test('a change that came after the report outlives the deletion of what the source did not have', async () => {
  const melding = [...lagHendelser({ antall: 400, seed: 9 })].find(({ verdi }) => {
    const { feilregistrert, slettemerket } = JSON.parse(String(verdi)) as Record<string, unknown>;
    return feilregistrert === false && slettemerket === false;
  });
  if (!melding) throw new Error('The simulator made no ordinary message');
  await system.publiser([melding]);
  await system.ventPaaInnlest();
  const nokkel = String(melding.nokkel);
  const { id, funnet } = await avstem(
    liste()
      .split('\n')
      .filter((linje) => !linje.includes(nokkel))
      .join('\n'),
  );
  expect(funnet.FREMMED).toEqual([nokkel]);
  const innhold = { ...(JSON.parse(String(melding.verdi)) as object), sistEndret: new Date().toISOString() };
  await system.publiser([{ nokkel, verdi: JSON.stringify(innhold) }]);
  await system.ventPaaInnlest();
  expect(await rett(id, 'FREMMED', 1)).toEqual({ rettet: 0, igjen: 1 });
  expect((await system.tilstand()).avtaler).toEqual(system.fasit().avtaler);
}, 60_000);

test('npm run avstem compares, heals and says what it found', async () => {
  await system.publiser([...lagHendelser({ antall: 500, seed: 1 })]);
  await system.ventPaaInnlest();
  const fil = join(katalog, 'liste.ndjson');
  writeFileSync(fil, liste());
  const avstem = (...valg: string[]): Promise<{ kode: number; utskrift: string }> =>
    system.tokenForVakt().then((token) =>
      promisify(execFile)(process.execPath, ['tools/avstem/avstem.ts', '--ingestor', app.url, ...valg], {
        cwd: ROT,
        env: { ...process.env, TOKEN: token, NODE_OPTIONS: '--disable-warning=ExperimentalWarning' },
      }).then(
        ({ stdout }) => ({ kode: 0, utskrift: stdout }),
        (feil: { code: number; stdout: string; stderr: string }) => ({
          kode: feil.code,
          utskrift: feil.stdout + feil.stderr,
        }),
      ),
    );
  expect(await avstem('--fil', fil)).toMatchObject({ kode: 0 });
  const [{ avtale_id: borte } = { avtale_id: '' }] = await system.sql<{ avtale_id: string }>(
    'delete from avtale where avtale_id = (select min(avtale_id::text)::uuid from avtale where slettet is null) returning avtale_id',
  );
  const funnet = await avstem('--topic');
  expect(funnet.kode).toBe(1);
  expect(funnet.utskrift).toMatch(/MANGLER.* 1 /);
  const rettet = await avstem('--fil', fil, '--rett', 'MANGLER', '--rett', 'UTDATERT');
  expect(rettet).toMatchObject({ kode: 0 });
  expect(rettet.utskrift).toContain('MANGLER: 1 healed, 0 remain');
  expect(await system.sql('select 1 from avtale where avtale_id = $1', [borte])).toHaveLength(1);
  writeFileSync(fil, '{"avtaleId": "x"}\n');
  expect(await avstem('--fil', fil)).toEqual({
    kode: 2,
    utskrift: '400: Line 1 of the list is not valid\n  1.avtaleId must be a UUID\n',
  });
  expect((await avstem()).utskrift).toContain('Usage: npm run avstem');
}, 60_000);
