import fc from 'fast-check';
import { needsBrowser, startBrowser } from '@tiltak/testing';
import type { Browser, Page } from 'playwright-core';
import { parse } from 'yaml';
import { GRANTABLE_FIELDS, TILTAKSTYPER, UKJENT } from '@tiltak/avtale';
import { parseKonsumenter } from '../access/konsumenter.ts';
import { GRANTABLE_OPERATIONS, OPERATIONS } from '../access/operations.ts';
import { startTestApi, type TestApi } from '../testing/test-api.ts';

/** As the browser gets it. */
const { toYaml } = (await import(`${import.meta.dirname}/static/oppforing.js`)) as {
  toYaml: (entry: unknown) => string;
};

/** Also what YAML takes for something else than a text. */
const text = fc.oneof(fc.string(), fc.uuid(), fc.constantFrom('null', 'true', 'no', '123', '1e5', '~', '- x', '#', ''));
const someOrAll = (all: readonly string[]): fc.Arbitrary<string[] | 'alle'> =>
  fc.oneof(fc.constant('alle' as const), fc.uniqueArray(fc.constantFrom(...all), { minLength: 1 }));

test('the YAML says what was filled in, whatever that is', () => {
  const entry = fc.record(
    {
      navn: text,
      namespace: text,
      azp: text,
      organisasjonsnummer: text,
      leverandoerer: fc.array(text, { minLength: 1 }),
      bruksvilkaar: fc.constant(2),
      behandlingsgrunnlag: fc.uniqueArray(
        fc.record(
          {
            id: text,
            lenke: text.map((rest) => `https://${rest}`),
            operasjoner: someOrAll(GRANTABLE_OPERATIONS),
            felter: someOrAll(GRANTABLE_FIELDS),
            ressurser: fc.constant({ virksomheter: { felter: ['navn', 'organisasjonsnummer'] } }),
            utvalg: fc.record({ tiltakstyper: fc.uniqueArray(fc.constantFrom(...TILTAKSTYPER), { minLength: 1 }) }),
          },
          { requiredKeys: ['id', 'lenke', 'operasjoner', 'felter'] },
        ),
        { minLength: 1, maxLength: 3, selector: ({ id }) => id },
      ),
      graphql: fc.constant({ som: 'gammel' }),
      kvote: fc.record({ perSekund: fc.integer({ min: 1, max: 9_999 }), burst: fc.integer({ min: 1, max: 9_999 }) }),
    },
    { requiredKeys: ['navn', 'behandlingsgrunnlag'] },
  );
  fc.assert(
    fc.property(entry, (filledIn) => {
      expect(parse(toYaml(filledIn))).toEqual([filledIn]);
    }),
    { numRuns: 50 },
  );
});

needsBrowser(describe)('the form for access, in a browser', () => {
  let api: TestApi;
  let browser: Browser;
  let page: Page;
  const errors: string[] = [];
  const sent: string[] = [];

  beforeAll(async () => {
    api = await startTestApi();
    browser = await startBrowser();
    page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
    page.on('pageerror', ({ message }) => errors.push(message));
    page.on('console', (line) => {
      if (line.type() === 'error') errors.push(line.text());
    });
    page.on('request', (request) => {
      if (request.method() !== 'GET' || !request.url().startsWith(api.url)) sent.push(request.url());
    });
    await page.goto(`${api.url}/tilgang/skjema`);
    await page.getByText('gjenstår.').waitFor();
  }, 60_000);
  afterAll(async () => {
    await browser.close();
    await api.stop();
  });

  const missing = (): Promise<string[]> => page.locator('#mangler li').allTextContents();
  const meaning = (): Promise<string> => page.locator('#folger').innerText();
  const purpose = (nr: number): ReturnType<Page['locator']> => page.locator('#formaal-liste > fieldset').nth(nr);
  const choose = (nr: number, choice: string): Promise<void> => purpose(nr).locator(`input[value="${choice}"]`).check();

  test('tells what is missing, by the schema of the registry, and what to choose among', async () => {
    expect(await missing()).toEqual([
      'Applikasjonens navn må være små bokstaver, tall og bindestrek, og begynne med en bokstav.',
      'Klient-id (azp) mangler, er for lang eller har kolon.',
      'Formål 1: formålets id må være bokstaver, tall og bindestrek.',
      'Formål 1: lenken til formålet må begynne med https://.',
      'Formål 1: velg minst én operasjon.',
      'Formål 1: velg minst ett felt.',
      expect.stringContaining('Bruksvilkårene versjon 2 er ikke godtatt'),
    ]);
    expect(await page.locator('#yaml-del').isVisible()).toBe(false);
    const choices = (group: string): Promise<string[]> =>
      page.locator(`[data-gruppe="${group}"]`).evaluateAll((all) => all.map((one) => one.getAttribute('value') ?? ''));
    expect(await choices('operasjoner')).toEqual(GRANTABLE_OPERATIONS);
    expect(await choices('felter')).toEqual(GRANTABLE_FIELDS);
    expect(await choices('tiltakstyper')).toEqual(TILTAKSTYPER.filter((kind) => kind !== UKJENT));
    expect(await purpose(0).innerText()).toContain('Is each of these persons on a measure');
  });

  test('tells what operations need and what fields mean, and fills in what they lack', async () => {
    await page.getByLabel('Navn', { exact: true }).fill('en-app');
    await page.getByLabel('Klient-id').fill('22222222-0000-4000-8000-000000000001');
    await page.getByLabel('Vi har lest og godtar').check();
    await purpose(0).getByLabel('Id i behandlingskatalogen').fill('B1234');
    await purpose(0).getByLabel('Lenke til det der').fill('https://behandlingskatalog.example.no/B1234');
    await choose(0, 'hentTiltaksstatus');
    await choose(0, 'hentUtdrag');
    await choose(0, 'startDato');
    expect(await missing()).toEqual([
      'B1234: hentTiltaksstatus svarer alltid med tiltakstype, avtaleStatus, sluttDato, som ikke er valgt. Den blir avvist.',
      'B1234: hentUtdrag svarer alltid med avtaleId, som ikke er valgt. Den blir avvist.',
    ]);
    expect(await meaning()).toContain('dere kan ikke søke med personidenter (trenger deltakerFnr)');
    await page.getByRole('button', { name: 'Velg feltene som operasjonene trenger' }).click();
    expect(await missing()).toEqual([]);
    await choose(0, 'deltakerFnr');
    expect(await meaning()).not.toContain('personidenter');
    expect(await meaning()).toContain('deltakerFnr kan fortelle hvem noen er');
  });

  test('makes an entry that the registry takes, and that grants what was chosen', async () => {
    await page.getByRole('button', { name: 'Legg til et formål' }).click();
    await purpose(1).getByLabel('Id i behandlingskatalogen').fill('B5');
    await purpose(1).getByLabel('Lenke til det der').fill('https://behandlingskatalog.example.no/B5');
    await choose(1, 'hentFerskhet');
    await purpose(1).getByLabel('Alle, også nye').nth(1).check();
    await choose(1, 'hentStatistikk');
    await choose(1, 'MENTOR');
    expect(await meaning()).toContain('B5: svarene har bare avtaler om MENTOR');
    expect(await meaning()).toContain('B5: hentStatistikk kan ikke avgrenses til dette, og blir avvist.');
    await page.getByLabel('Miljø', { exact: true }).selectOption('prod');
    expect(await page.locator('#fil').innerText()).toBe('nais/nav/konsumenter-prod.yaml');
    expect(await meaning()).toContain('Hvert kall må ha headeren Behandlingsgrunnlag: B1234 eller B5.');
    const yaml = (await page.locator('#yaml').textContent()) ?? '';
    const [konsument] = [...parseKonsumenter('konsumenter.yaml', yaml).values()];
    expect(konsument).toMatchObject({ navn: 'en-app', bruksvilkaar: 2, kvote: { perSecond: 20, burst: 40 } });
    const [first, second] = konsument?.behandlingsgrunnlag ?? [];
    expect([...(first?.operasjoner ?? [])]).toEqual(['hentTiltaksstatus', 'hentUtdrag']);
    expect(new Set(first?.felter)).toEqual(new Set(['avtaleId', 'deltakerFnr', ...OPERATIONS.hentTiltaksstatus]));
    expect([second?.operasjoner.size, second?.felter.size]).toEqual([2, GRANTABLE_FIELDS.length]);
    expect([first?.kinds, second?.kinds?.published]).toEqual([undefined, ['MENTOR']]);
    await page.getByText('Oppføringen er klar.').waitFor();
  });

  test('another organisation stands by its number, with who calls for it', async () => {
    await page.getByLabel('Hvem kaller').selectOption('annen');
    expect(await page.getByLabel('Klient-id').isVisible()).toBe(false);
    expect(await missing()).toEqual(['Organisasjonsnummeret må være ni sifre.']);
    await page.getByLabel('Organisasjonsnummer', { exact: true }).fill('310100004');
    expect(await missing()).toEqual([expect.stringContaining('310100004 er ikke et organisasjonsnummer')]);
    await page.getByLabel('Organisasjonsnummer', { exact: true }).fill('310100005');
    await page.getByLabel('Organisasjonsnumre til leverandører').fill('310101370, 310102741');
    expect(await missing()).toEqual([]);
    const [konsument] = [...parseKonsumenter('x', (await page.locator('#yaml').textContent()) ?? '').values()];
    expect(konsument).toMatchObject({ organisasjonsnummer: '310100005', azp: undefined });
    expect([...(konsument?.leverandoerer ?? [])]).toEqual(['310101370', '310102741']);
    await page.getByLabel('Hvem kaller').selectOption('nav');
    expect(await missing()).toEqual([]);
  });

  test('a purpose can be taken away again, and a quota must be whole', async () => {
    await purpose(1).getByRole('button', { name: 'Fjern formålet' }).click();
    expect(await page.locator('#formaal-liste > fieldset').count()).toBe(1);
    await page.getByLabel('Kall på en gang').fill('');
    expect(await missing()).toEqual(['Kvotens kall på en gang må være et helt tall fra 1.']);
    await page.getByLabel('Kall i sekundet').fill('');
    expect(await missing()).toEqual([]);
    expect(await meaning()).toContain('Uten kvote er det ingen grense');
  });

  test('fits a telephone, sends nothing, and has no errors', async () => {
    await page.setViewportSize({ width: 390, height: 800 });
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(390);
    expect([errors, sent]).toEqual([[], []]);
  });
});
