import { finnNettleser, startNettleser, syntetiskFnr } from '@tiltak/testing';
import type { Browser, Page } from 'playwright-core';
import { System } from './system.ts';

/** The page of those on duty, in a real browser, on the built ingestor. */
const FNR = syntetiskFnr(7);
const ID = '00000000-0000-4000-8000-0000000000aa';
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
