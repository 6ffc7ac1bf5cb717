import { readFileSync } from 'node:fs';
import { finnNettleser, startNettleser, syntetiskFnr } from '@tiltak/testing';
import type { Browser, Page } from 'playwright-core';
import { System } from './system.ts';

/** The page of those on duty, in a real browser, on the built ingestor. */
const FNR = syntetiskFnr(7);
const ID = '00000000-0000-4000-8000-0000000000aa';
const FREMMED = 'ffffffff-0000-4000-8000-000000000001';
const medNettleser = finnNettleser() ? describe : describe.skip;

medNettleser('the page /drift, in a browser (skipped where there is none: set CHROMIUM_PATH)', () => {
  let system: System;
  let nettleser: Browser;
  let side: Page;
  let url: string;
  const feil: string[] = [];
  const andreSteder: string[] = [];

  beforeAll(async () => {
    system = await System.lag({ partisjoner: 2 });
    ({ url } = await system.startIngestor());
    const felter = {
      avtaleId: ID,
      sistEndret: '2026-01-01T00:00:00Z',
      deltakerFnr: FNR,
      deltakerEtternavn: 'Nordmann',
    };
    await system.publiser([
      { nokkel: ID, verdi: JSON.stringify({ ...felter, startDato: 'i går' }) },
      { nokkel: ID, verdi: `{"avtaleId":` },
      { nokkel: ID, verdi: JSON.stringify({ ...felter, avtaleNr: 'sju' }) },
    ]);
    await system.ventPaaInnlest();
    nettleser = await startNettleser();
    side = await nettleser.newPage({ viewport: { width: 1280, height: 1000 } });
    side.on('pageerror', ({ message }) => feil.push(message));
    side.on('console', (linje) => {
      if (linje.type() === 'error') feil.push(linje.text());
    });
    side.on('request', (kall) => {
      if (!kall.url().startsWith(url) && !kall.url().startsWith('data:')) andreSteder.push(kall.url());
    });
    await side.goto(`${url}/drift`);
  }, 60_000);
  afterAll(async () => {
    await nettleser.close();
    await system.stopp();
  });

  const rader = (id: string): ReturnType<Page['locator']> => side.locator(`#${id} tr`);
  const ventPaa = (tekst: string): Promise<void> => side.getByText(tekst).first().waitFor();

  test('asks for a token, and takes only one with the role', async () => {
    await side.getByLabel('Token med rollen drift').fill((await system.som('alt'))['authorization']?.slice(7) ?? '');
    await side.keyboard.press('Enter');
    await ventPaa('Tokenet mangler rollen drift.');
    await side.getByLabel('Token med rollen drift').fill(await system.tokenForVakt());
    await side.keyboard.press('Enter');
    await side.getByRole('heading', { name: 'Parkerte meldinger' }).waitFor();
    // The refusal above is told by the browser too.
    expect(feil.splice(0)).toEqual([expect.stringContaining('403')]);
  });

  test('shows how it goes, and what is parked', async () => {
    expect(await side.locator('#antall-parkerte').textContent()).toBe('3');
    expect(await rader('partisjoner').count()).toBe(2);
    expect(await rader('parkerte').count()).toBe(3);
    await side.getByLabel('Årsak').selectOption({ label: 'UGYLDIG_FELT (startDato): 1' });
    await side.getByRole('button', { name: 'Spill av alle med denne årsaken' }).waitFor();
    expect(await rader('parkerte').count()).toBe(1);
  });

  test('shows a message without what is about persons', async () => {
    await side.getByRole('button', { name: /Vis melding/ }).click();
    const dialog = side.getByRole('dialog');
    await dialog.waitFor();
    const vist = (await dialog.textContent()) ?? '';
    expect(vist).toContain('"startDato": "i går"');
    expect(await side.content()).not.toMatch(new RegExp(`${FNR}|Nordmann`));
  });

  test('discards it with a reason', async () => {
    await side.getByLabel(/Begrunnelse/).fill('Testmelding fra kilden');
    await side.getByRole('button', { name: 'Forkast' }).click();
    await ventPaa('Meldingen er forkastet.');
    const [rad] = await system.sql(
      `select tilstand, begrunnelse, behandlet_av from parkert_melding where felt = 'startDato'`,
    );
    expect(rad).toEqual({
      tilstand: 'FORKASTET',
      begrunnelse: 'Testmelding fra kilden',
      behandlet_av: 'vakt@nav.example',
    });
  });

  test('replays one that can be used by now, and then all', async () => {
    const verdi = JSON.stringify({ avtaleId: ID, sistEndret: '2026-01-01T00:00:00Z', avtaleNr: 7 });
    await system.sql(`update parkert_melding set verdi = convert_to($1, 'UTF8') where felt = 'avtaleNr'`, [verdi]);
    await side.getByLabel('Årsak').selectOption({ label: 'UGYLDIG_FELT (avtaleNr): 1' });
    await side.getByRole('button', { name: 'Spill av alle med denne årsaken' }).waitFor();
    await side.getByRole('button', { name: /Vis melding/ }).click();
    await side.getByRole('dialog').getByRole('button', { name: 'Spill av' }).click();
    await ventPaa('Meldingen er tatt inn.');
    expect(await system.sql('select avtale_nr from avtale')).toEqual([{ avtale_nr: 7 }]);

    side.once('dialog', (dialog) => void dialog.accept());
    await side.getByRole('button', { name: 'Spill av alle parkerte' }).click();
    await ventPaa('0 meldinger er spilt av, 1 er fortsatt parkert.');
  });

  test('shows who did what', async () => {
    const handlinger = await rader('handlinger').allTextContents();
    expect(handlinger).toHaveLength(5);
    expect(handlinger.every((linje) => linje.includes('vakt@nav.example'))).toBe(true);
    expect(handlinger[0]).toContain('Spilte av flere meldinger');
  });

  test('tells of the adapter and its syncs, and that there is none', async () => {
    expect(await side.getByText('Organisasjonen har ingen adapter.').isVisible()).toBe(true);
    const som = { authorization: `Bearer ${await system.tokenForAdapter()}`, 'content-type': 'application/json' };
    const kall = async (metode: string, sti: string, body: unknown): Promise<void> => {
      const svar = await fetch(`${url}/adapter/v1/${sti}`, {
        method: metode,
        headers: som,
        body: JSON.stringify(body),
      });
      expect(svar.ok).toBe(true);
    };
    await kall('PUT', 'kontrakt', {
      adapterId: 'fylkets-adapter',
      heartbeatIntervallMinutter: 15,
      fullSynkIntervallDager: 7,
      deltaSynk: 'STRAKS',
      ressurser: ['avtaler'],
    });
    const metadata = { synkId: '00000000-0000-4000-8000-0000000000bb', side: 1, antallSider: 2, antallTotalt: 2 };
    await kall('DELETE', 'avtaler/synk', { metadata, ressurser: [{ id: '00000000-0000-4000-8000-0000000000dd' }] });
    await side.reload();
    await ventPaa('fylkets-adapter');
    expect(await rader('synker').allTextContents()).toEqual([expect.stringContaining('SlettingMottar sider1 av 2')]);
  });

  test('rebuilds, and names what the topic does not tell of', async () => {
    const brukbar = { avtaleId: ID, sistEndret: '2026-01-01T00:00:00Z', avtaleNr: 7 };
    await system.publiser([{ nokkel: ID, verdi: JSON.stringify(brukbar) }]);
    await system.sql(
      `insert into avtale (avtale_id, feilregistrert, sist_endret, kilde_partisjon, kilde_offset)
       values ($1, false, '2026-01-01', 0, -1)`,
      [FREMMED],
    );
    side.once('dialog', (dialog) => void dialog.accept());
    await side.getByRole('button', { name: 'Start gjenoppbygging' }).click();
    await ventPaa('1 avtaler fantes ikke lenger på topicen; de er ikke slettet.');
    expect(await rader('usette').allTextContents()).toEqual([FREMMED]);
  });

  test('reconciles with the topic and with a list, and deletes what the source does not have when told so', async () => {
    await side.getByRole('button', { name: 'Avstem mot topicen' }).click();
    const dialog = side.getByRole('dialog');
    await dialog.waitFor();
    expect(await rader('differanser').allTextContents()).toEqual([expect.stringContaining(FREMMED)]);
    side.once('dialog', (spoersmaal) => void spoersmaal.accept());
    await dialog.getByRole('button', { name: 'Slett 1 avtaler' }).click();
    await ventPaa('1 er rettet, 0 gjenstår.');
    await dialog.getByRole('button', { name: 'Lukk' }).click();

    const borte = { avtaleId: '00000000-0000-4000-8000-0000000000cc', sistEndret: '2026-01-01T00:00:00Z' };
    const liste = [borte, { avtaleId: ID, sistEndret: '2026-01-01T00:00:00Z' }]
      .map((en) => JSON.stringify(en))
      .join('\n');
    await side
      .getByLabel('Kildens liste (NDJSON)')
      .setInputFiles({ name: 'liste.ndjson', mimeType: 'application/x-ndjson', buffer: Buffer.from(liste) });
    await side.getByRole('button', { name: 'Avstem mot listen' }).click();
    await dialog.waitFor();
    expect(await rader('differanser').allTextContents()).toEqual([expect.stringContaining(borte.avtaleId)]);
    await dialog.getByRole('button', { name: 'Les tilbake fra topicen' }).click();
    await ventPaa('0 er rettet, 1 gjenstår.');
    const lastet = side.waitForEvent('download');
    await dialog.getByRole('button', { name: 'Last ned' }).click();
    const fil = await (await lastet).path();
    expect(readFileSync(fil, 'utf8')).toContain(borte.avtaleId);
    await dialog.getByRole('button', { name: 'Lukk' }).click();
    expect(await system.sql('select 1 from avtale where avtale_id = $1 and slettet is null', [FREMMED])).toEqual([]);
  });

  test('fits a narrow screen', async () => {
    await side.setViewportSize({ width: 375, height: 800 });
    expect(await side.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(375);
    await side.setViewportSize({ width: 1280, height: 1000 });
  });

  test('forgets the token and what was shown when one logs out', async () => {
    await side.getByRole('button', { name: 'Logg ut' }).click();
    expect(await side.getByLabel('Token med rollen drift').isVisible()).toBe(true);
    expect(await rader('parkerte').count()).toBe(0);
    await side.reload();
    expect(await side.getByLabel('Token med rollen drift').isVisible()).toBe(true);
  });

  test('asks nobody else for anything, runs no script of its own, and has no errors', async () => {
    const { headers } = await fetch(`${url}/drift`);
    expect(headers.get('content-security-policy')).toContain("default-src 'none'; script-src 'self'");
    expect(andreSteder).toEqual([]);
    expect(feil).toEqual([]);
  });
});
