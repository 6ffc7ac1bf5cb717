import { createEvents } from '@tiltak/simulator';
import { needsBrowser, seriousFaults, startBrowser, waitUntil } from '@tiltak/testing';
import { onMeasureToday, PERSONS_ON_MEASURE } from '../local/sample-persons.ts';
import type { Browser, Page } from 'playwright-core';
import { readLocalKonsumenter } from '../local/token.ts';
import { System } from './system.ts';

/** Tells of what the page could not do, what its policy forbids among it: the browser writes that as an error. */
async function watchedPage(browser: Browser): Promise<{ page: Page; errors: string[] }> {
  const page = await browser.newPage({ viewport: { width: 1280, height: 1400 } });
  const errors: string[] = [];
  page.on('pageerror', ({ message }) => errors.push(message));
  page.on('console', (line) => {
    if (line.type() === 'error' || line.text().includes('Content Security Policy')) errors.push(line.text());
  });
  return { page, errors };
}

/** With what it is asked, answered here and now, and what it says elsewhere. */
async function showsFrontPage(page: Page, url: string): Promise<void> {
  await page.goto(url);
  await page.getByText('på tiltak i dag').waitFor();
  expect(PERSONS_ON_MEASURE.every((ident) => ident !== '')).toBe(true);
  expect(await page.locator('#foresporsel').innerText()).toContain(PERSONS_ON_MEASURE[0]);
  expect(await page.locator('#svar').innerText()).toContain('"svar": "JA"');
  expect(await page.locator('#ferskhet-ord').innerText()).toBe('Alt er med');
  for (const tab of await page.getByRole('tab').all()) {
    await tab.click();
    expect(await tab.getAttribute('aria-selected')).toBe('true');
    await page.locator('#ord[data-tilstand=bra]').waitFor();
  }
  expect(await seriousFaults(page)).toEqual([]);
  const { headers } = await fetch(url);
  expect(headers.get('content-security-policy')).toContain("default-src 'none'; script-src 'self'");
  // The documents that it leads to are there.
  for (const name of ['konsumenter', 'biblioteker', 'endringslogg', 'feil', 'bruksvilkaar']) {
    expect([name, (await fetch(`${url}/dokumentasjon/${name}`)).status]).toEqual([name, 200]);
  }
}

needsBrowser(test)(
  'the front page shows answers of the service itself, and Swagger UI answers a search as it stands, in a browser',
  async () => {
    const system = await System.create({ partitions: 1 });
    const azp = readLocalKonsumenter().find(({ navn: name }) => name === 'alt')?.azp ?? '';
    await system.publish([...createEvents({ count: 50, seed: 1 }), ...onMeasureToday(new Date())]);
    await system.startIngestor();
    const { url } = await system.startQueryApi({
      LOKAL_TOKENKILDE: `${system.env.issuer}/token?client_id=${azp}`,
    });
    const browser = await startBrowser();
    try {
      await waitUntil(
        async () => (await fetch(`${url}/api/v1/avtaler/nummer/0`, { headers: await system.as('alt') })).status === 404,
        {
          what: 'the first load',
        },
      );
      const { page, errors } = await watchedPage(browser);
      await showsFrontPage(page, url);
      await page.goto(`${url}/swagger`);
      // The lock is closed: a token is there already.
      await page.locator('.btn.authorize.locked').waitFor();
      expect(await page.locator('.opblock-tag').allInnerTexts()).toHaveLength(6);
      await page.locator('#operations-Avtaler-sokAvtaler .opblock-summary-control').click();
      await page.locator('#operations-Avtaler-sokAvtaler .execute').click();
      const response = page.locator('#operations-Avtaler-sokAvtaler .live-responses-table .response').first();
      await response.waitFor();
      expect(await response.locator('.response-col_status').innerText()).toBe('200');
      expect(await response.locator('.response-col_description').innerText()).toContain('"avtaler"');
      // What may be answered is folded; what was answered is not.
      const documented = page.locator('#operations-Avtaler-sokAvtaler .responses-table:not(.live-responses-table)');
      expect(await documented.isVisible()).toBe(false);
      await page.getByRole('button', { name: 'Show the documented responses' }).click();
      expect(await documented.isVisible()).toBe(true);
      expect(await page.locator('#hvem').innerText()).toContain('Authorised as');
      expect(await seriousFaults(page)).toEqual([]);
      await page.screenshot({ path: process.env['SKJERMBILDE'] ?? '/dev/null', type: 'png' });
      expect(errors).toEqual([]);
    } finally {
      await browser.close();
      await system.stop();
    }
  },
  180_000,
);

needsBrowser(test)(
  "with a token that is pasted, Swagger UI of the ingestor asks as an adapter, keeps the token nowhere, and runs nobody's script",
  async () => {
    const system = await System.create({ partitions: 1 });
    const { url } = await system.startIngestor();
    const browser = await startBrowser();
    try {
      const { page, errors } = await watchedPage(browser);
      await page.goto(`${url}/swagger`);
      await page.locator('.btn.authorize.unlocked').click();
      // One for each issuer whose tokens are taken.
      const form = page.locator('.auth-container form', { hasText: 'entra' });
      await form.locator('input').fill(await system.tokenForAdapter());
      await form.locator('.authorize').click();
      await form.locator('.btn-done').click();
      const operation = page.locator('[id$="-hentAdapterstatus"]');
      await operation.locator('.opblock-summary-control').click();
      await operation.locator('.execute').click();
      const status = operation.locator('.live-responses-table .response .response-col_status').first();
      await status.waitFor();
      // It may ask, and has no contract yet.
      expect(await status.innerText()).toBe('409');
      expect(errors.splice(0)).toEqual([expect.stringContaining('409')]);
      expect(await page.locator('#hvem').innerText()).toContain('nav');
      expect(await seriousFaults(page)).toEqual([]);
      expect(await page.evaluate('localStorage.length + sessionStorage.length')).toBe(0);
      expect(await page.evaluate('document.cookie')).toBe('');

      await page.evaluate(
        "document.body.append(Object.assign(document.createElement('script'), { text: 'injected = 1' }))",
      );
      expect(await page.evaluate('typeof injected')).toBe('undefined');
      expect(errors).toEqual([expect.stringContaining('Content Security Policy')]);
    } finally {
      await browser.close();
      await system.stop();
    }
  },
  180_000,
);

test('nothing of that is there unless the local stack asks for it, and asked for elsewhere the start is refused', async () => {
  const system = await System.create({ partitions: 1 });
  try {
    await system.startIngestor();
    const { url } = await system.startQueryApi();
    expect((await fetch(`${url}/lokalt-token`)).status).toBe(401);
    expect(await (await fetch(`${url}/swagger`)).text()).not.toContain('lokal.js');
    expect((await fetch(`${url}/swagger/lokal.js`)).status).toBe(401);
    const source = `${system.env.issuer}/token?client_id=x`;
    await expect(system.startQueryApi({ LOKAL_TOKENKILDE: source, HOST: '0.0.0.0' })).rejects.toThrow(
      'could not start',
    );
    await expect(system.startQueryApi({ LOKAL_TOKENKILDE: 'https://login.example.no/token' })).rejects.toThrow(
      'could not start',
    );
  } finally {
    await system.stop();
  }
}, 120_000);
