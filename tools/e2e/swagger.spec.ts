import { createEvents } from '@tiltak/simulator';
import { needsBrowser, startBrowser, waitUntil } from '@tiltak/testing';
import { readLocalKonsumenter } from '../local/token.ts';
import { System } from './system.ts';

needsBrowser(test)(
  'Swagger UI answers a search as it stands, in a browser',
  async () => {
    const system = await System.create({ partitions: 1 });
    const azp = readLocalKonsumenter().find(({ navn: name }) => name === 'alt')?.azp ?? '';
    await system.publish([...createEvents({ count: 50, seed: 1 })]);
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
      const page = await browser.newPage({ viewport: { width: 1280, height: 1400 } });
      const error: string[] = [];
      page.on('pageerror', ({ message }) => error.push(message));
      await page.goto(`${url}/swagger`);
      // The lock is closed: a token is there already.
      await page.locator('.btn.authorize.locked').waitFor();
      expect(await page.locator('.opblock-tag').allInnerTexts()).toHaveLength(4);
      await page.locator('#operations-Avtaler-sokAvtaler .opblock-summary-control').click();
      await page.locator('#operations-Avtaler-sokAvtaler .execute').click();
      const response = page.locator('#operations-Avtaler-sokAvtaler .live-responses-table .response').first();
      await response.waitFor();
      expect(await response.locator('.response-col_status').innerText()).toBe('200');
      expect(await response.locator('.response-col_description').innerText()).toContain('"avtaler"');
      await page.screenshot({ path: process.env['SKJERMBILDE'] ?? '/dev/null', type: 'png' });
      expect(error).toEqual([]);
    } finally {
      await browser.close();
      await system.stop();
    }
  },
  90_000,
);

test('nothing of that is there unless the local stack asks for it, and asked for elsewhere the start is refused', async () => {
  const system = await System.create({ partitions: 1 });
  try {
    await system.startIngestor();
    const { url } = await system.startQueryApi();
    expect((await fetch(`${url}/lokalt-token`)).status).toBe(401);
    expect(await (await fetch(`${url}/swagger`)).text()).not.toContain('lokalt-token');
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
}, 60_000);
