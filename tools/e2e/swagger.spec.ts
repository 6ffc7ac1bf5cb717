import { lagHendelser } from '@tiltak/simulator';
import { finnNettleser, startNettleser, ventTil } from '@tiltak/testing';
import { lesKonsumenter } from '../lokal/token.ts';
import { System } from './system.ts';

const medNettleser = finnNettleser() ? test : test.skip;

medNettleser(
  'Swagger UI answers a search as it stands (skipped where there is no browser: set CHROMIUM_PATH)',
  async () => {
    const system = await System.lag({ partisjoner: 1 });
    const azp = lesKonsumenter().find(({ navn }) => navn === 'alt')?.azp ?? '';
    await system.publiser([...lagHendelser({ antall: 50, seed: 1 })]);
    await system.startIngestor();
    const { url } = await system.startQueryApi({
      LOKAL_TOKENKILDE: `${system.miljo.issuer}/token?client_id=${azp}`,
    });
    const nettleser = await startNettleser();
    try {
      await ventTil(
        async () =>
          (await fetch(`${url}/api/v1/avtaler/nummer/0`, { headers: await system.som('alt') })).status === 404,
        {
          hva: 'the first load',
        },
      );
      const side = await nettleser.newPage({ viewport: { width: 1280, height: 1400 } });
      const feil: string[] = [];
      side.on('pageerror', ({ message }) => feil.push(message));
      await side.goto(`${url}/swagger`);
      // The lock is closed: a token is there already.
      await side.locator('.btn.authorize.locked').waitFor();
      expect(await side.locator('.opblock-tag').allInnerTexts()).toHaveLength(4);
      await side.locator('#operations-Avtaler-sokAvtaler .opblock-summary-control').click();
      await side.locator('#operations-Avtaler-sokAvtaler .execute').click();
      const svar = side.locator('#operations-Avtaler-sokAvtaler .live-responses-table .response').first();
      await svar.waitFor();
      expect(await svar.locator('.response-col_status').innerText()).toBe('200');
      expect(await svar.locator('.response-col_description').innerText()).toContain('"avtaler"');
      await side.screenshot({ path: process.env['SKJERMBILDE'] ?? '/dev/null', type: 'png' });
      expect(feil).toEqual([]);
    } finally {
      await nettleser.close();
      await system.stopp();
    }
  },
  90_000,
);

test('nothing of that is there unless the local stack asks for it, and asked for elsewhere the start is refused', async () => {
  const system = await System.lag({ partisjoner: 1 });
  try {
    await system.startIngestor();
    const { url } = await system.startQueryApi();
    expect((await fetch(`${url}/lokalt-token`)).status).toBe(401);
    expect(await (await fetch(`${url}/swagger`)).text()).not.toContain('lokalt-token');
    const kilde = `${system.miljo.issuer}/token?client_id=x`;
    await expect(system.startQueryApi({ LOKAL_TOKENKILDE: kilde, HOST: '0.0.0.0' })).rejects.toThrow('could not start');
    await expect(system.startQueryApi({ LOKAL_TOKENKILDE: 'https://login.example.no/token' })).rejects.toThrow(
      'could not start',
    );
  } finally {
    await system.stopp();
  }
}, 60_000);
