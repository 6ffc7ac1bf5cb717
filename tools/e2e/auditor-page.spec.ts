import { readFileSync } from 'node:fs';
import { freePort, needsBrowser, onDuty, seriousFaults, startBrowser, syntheticFnr } from '@tiltak/testing';
import type { Browser, Page } from 'playwright-core';
import { auditorClientId, startAuditorPageProcess, waitUntilReady, type App } from '../local/apps.ts';
import { System } from './system.ts';

/** The page of auditors, in a real browser, on the built program with the auditor's login. */
const FNR = syntheticFnr(7);
const REASON = 'Personen har bedt om innsyn';

needsBrowser(describe)('the page /revisor, in a browser', () => {
  let system: System;
  let app: App;
  let browser: Browser;
  let page: Page;
  const errors: string[] = [];
  const addresses: string[] = [];

  beforeAll(async () => {
    system = await System.create({ partitions: 1 });
    await system.startIngestor();
    const api = await system.startQueryApi();
    app = startAuditorPageProcess(system.env, await freePort(), { LOG_LEVEL: 'debug' });
    await waitUntilReady(app);
    const value = { avtaleId: '00000000-0000-4000-8000-0000000000aa', sistEndret: '2026-01-01T00:00:00Z' };
    await system.publish([{ key: value.avtaleId, value: JSON.stringify({ ...value, deltakerFnr: FNR }) }]);
    await system.waitForIngested();
    const asked = await fetch(`${api.url}/api/v1/personer/tiltaksstatus`, {
      ...{ method: 'POST', headers: await system.as('alt') },
      body: JSON.stringify({ personidenter: [FNR] }),
    });
    expect(asked.status).toBe(200);
    browser = await startBrowser();
    page = await browser.newPage({ viewport: { width: 320, height: 900 }, acceptDownloads: true });
    page.on('pageerror', ({ message }) => errors.push(message));
    page.on('console', (line) => {
      if (line.type() === 'error') errors.push(line.text());
    });
    page.on('request', (call) => addresses.push(call.url()));
    await page.goto(`${app.url}/revisor`);
  }, 180_000);
  afterAll(async () => {
    await browser.close();
    await app.proc.stop();
    await system.stop();
  });

  const logIn = async (claims: Record<string, unknown>): Promise<void> => {
    const audience = auditorClientId(system.env.organisasjon);
    const token = await system.token({ azp: audience, audience, claims });
    await page.getByLabel('Token for en revisor').fill(token);
    await page.keyboard.press('Enter');
    await page.getByLabel('Fødselsnummer eller deltakerId').fill(FNR);
    await page.getByLabel('Hvorfor du spør').fill(REASON);
    await page.getByRole('button', { name: 'Vis hvem' }).click();
  };
  const isNarrow = (): Promise<boolean> =>
    page.evaluate('document.documentElement.scrollWidth <= document.documentElement.clientWidth');

  test('somebody who is only on duty is told no, and nothing is left of what they wrote', async () => {
    await logIn(onDuty());
    await page.getByText('Siden er for revisorer.').waitFor();
    expect(await page.locator('#person').inputValue()).toBe('');
    // The refusal is told by the browser too.
    expect(errors.splice(0)).toEqual([expect.stringContaining('403')]);
  });

  test('an auditor sees who, what for and when, on the smallest screen and by a screen reader', async () => {
    await logIn({ ...onDuty(), roles: ['revisor'] });
    await page.getByRole('heading', { name: 'Ett oppslag' }).waitFor();
    expect(await page.locator('#grupper').innerText()).toMatch(/hentTiltaksstatus\s+Fikk opplysninger\s+1/);
    expect(await page.locator('#oppslag tr').count()).toBe(1);
    expect(await isNarrow()).toBe(true);
    expect(await seriousFaults(page)).toEqual([]);
    expect(await system.sql('select hvem, hva, begrunnelse from oppslagsinnsyn')).toEqual([
      { hvem: onDuty()['NAVident'], hva: 'OPPSLAG_PERSON', begrunnelse: REASON },
    ]);
  });

  test('saves the report', async () => {
    const [saved] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('button', { name: 'Innsyn til personen, PDF' }).click(),
    ]);
    expect(saved.suggestedFilename()).toBe('innsyn.pdf');
    expect(
      readFileSync(await saved.path())
        .subarray(0, 5)
        .toString(),
    ).toBe('%PDF-');
  });

  test('what was written is gone when the page is left, and stands in no address, storage or log', async () => {
    await page.goto('about:blank');
    await page.goBack();
    await page.getByLabel('Token for en revisor').waitFor();
    expect(await page.content()).not.toContain(FNR);
    expect(await page.locator('#person').inputValue()).toBe('');
    expect(await page.evaluate('JSON.stringify([localStorage, sessionStorage])')).not.toContain(FNR);
    expect(addresses.filter((address) => address.includes(FNR))).toEqual([]);
    const log = readFileSync(app.logFile, 'utf8');
    expect(log).toContain('/revisor/v1/oppslag');
    expect(log).not.toMatch(new RegExp(`${FNR}|${REASON}`));
    expect(errors).toEqual([]);
  });
});
