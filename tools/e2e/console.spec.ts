import { readFileSync } from 'node:fs';
import { createServer, request as forward } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  createTestTopic,
  freePort,
  needsBrowser,
  ON_DUTY_NAV_IDENT,
  seriousFaults,
  startBrowser,
  syntheticFnr,
  syntheticOrgnr,
  type TestTopic,
  waitUntil,
} from '@tiltak/testing';
import type { Browser, Page } from 'playwright-core';
import { System } from './system.ts';

/** The page of those on duty, in a real browser, on the built ingestor. */
const FNR = syntheticFnr(7);
const ID = '00000000-0000-4000-8000-0000000000aa';
const FOREIGN = 'ffffffff-0000-4000-8000-000000000001';

/** What the platform puts before the page: it knows who has logged in, and passes everything on with their token. */
async function startLoginProxy(target: string, token: string): Promise<{ url: string; stop: () => Promise<void> }> {
  const { port, hostname } = new URL(target);
  const server = createServer((request, response) => {
    if (request.url === '/drift/oauth2/logout') {
      return response.setHeader('content-type', 'text/html').end('<link rel="icon" href="data:," />logged out');
    }
    const headers = { ...request.headers, authorization: `Bearer ${token}` };
    const passedOn = forward({ port, hostname, path: request.url, method: request.method, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    return request.pipe(passedOn);
  });
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready));
  return {
    url: `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`,
    stop: async () => {
      const closed = new Promise<void>((done) => server.close(() => done()));
      server.closeAllConnections();
      await closed;
    },
  };
}

needsBrowser(describe)('the page /drift, in a browser', () => {
  let system: System;
  let units: TestTopic;
  let browser: Browser;
  let page: Page;
  let url: string;
  const error: string[] = [];
  const otherPlaces: string[] = [];
  const ownPlaces = ['data:'];

  beforeAll(async () => {
    system = await System.create({ partitions: 2 });
    units = await createTestTopic({ partitions: 1 });
    const port = await freePort();
    ({ url } = await system.startIngestor(
      {
        DRIFT_ORGANISASJONER: `nav=http://127.0.0.1:${String(port)},borte=http://127.0.0.1:1`,
        RELASJONSKONTROLL_HVER_TIMER: '0',
        VIRKSOMHET_TOPIC: units.topic,
      },
      port,
    ));
    ownPlaces.push(url, 'blob:');
    const fields = {
      avtaleId: ID,
      sistEndret: '2026-01-01T00:00:00Z',
      deltakerFnr: FNR,
      deltakerEtternavn: 'Nordmann',
    };
    await system.publish([
      { key: ID, value: JSON.stringify({ ...fields, startDato: 'i går' }) },
      { key: ID, value: `{"avtaleId":` },
      { key: ID, value: JSON.stringify({ ...fields, avtaleNr: 'sju' }) },
    ]);
    await system.waitForIngested();
    browser = await startBrowser();
    page = await browser.newPage({ viewport: { width: 1280, height: 1000 } });
    page.on('pageerror', ({ message }) => error.push(message));
    page.on('console', (line) => {
      if (line.type() === 'error') error.push(line.text());
    });
    page.on('request', (call) => {
      if (!ownPlaces.some((place) => call.url().startsWith(place))) otherPlaces.push(call.url());
    });
    await page.goto(`${url}/drift`);
  }, 180_000);
  afterAll(async () => {
    await browser.close();
    await system.stop();
    await units.remove();
  });

  const rows = (id: string): ReturnType<Page['locator']> => page.locator(`#${id} tr`);
  const waitFor = (text: string): Promise<void> => page.getByText(text).first().waitFor();

  /** A part of the page that is folded. */
  const unfold = async (part: string): Promise<void> => {
    const details = page.locator(`#${part}-del`);
    if ((await details.getAttribute('open')) === null) await details.locator('summary').first().click();
  };
  /** Says yes to what is asked. */
  const answer = async (action: string): Promise<void> => {
    await page.locator('#spoersmaal').getByRole('button', { name: action }).click();
  };

  const tokenBox = (): ReturnType<Page['locator']> => page.getByLabel('Token for en person på vakt');
  const logIn = async (): Promise<void> => {
    await tokenBox().fill(await system.tokenForOnDuty());
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Parkerte meldinger', exact: true }).waitFor();
  };

  test('asks for a token, and takes only that of a person on duty', async () => {
    await tokenBox().fill((await system.as('alt'))['authorization']?.slice(7) ?? '');
    await page.keyboard.press('Enter');
    await waitFor('Siden er for personer på vakt. The operation is for people who have logged in');
    await logIn();
    // The refusal above is told by the browser too.
    expect(error.splice(0)).toEqual([expect.stringContaining('403')]);
  });

  test('shows first what needs somebody, with a limit, in words, and where it says what to do', async () => {
    const problems = page.locator('#problemer > li');
    expect(await problems.count()).toBe(1);
    expect(await problems.first().innerText()).toMatch(
      /Parkerte meldinger[^]*3[^]*Grense: 0 · siden [^]*Slik gjør du det/,
    );
    const runbook = await problems.first().getByRole('link', { name: 'Slik gjør du det' }).getAttribute('href');
    const [path = '', anchor = ''] = (runbook ?? '').split('#');
    expect(await (await fetch(url + path)).text()).toContain(`id="${anchor}"`);
    expect(await page.locator('#friske-del').getAttribute('open')).toBeNull();
    expect(await page.locator('#samlet-ord').textContent()).toBe('Én ting å se på');
    expect(await page.locator('.kurve').count()).toBe(3);
  });

  test('reads by itself, says when, tells when it can not, and stops while nobody sees it', async () => {
    const read = page.locator('#lest');
    const isRead = page.locator('#lest', { hasText: /^Lest [\d:]+$/ });
    const before = await read.textContent();
    expect(before).toMatch(/^Lest \d\d:\d\d:\d\d$/);
    await page.route('**/drift/v1/tilstand', (route) => route.abort());
    await page.getByRole('button', { name: 'Les nå' }).click();
    await waitFor('får ikke lest nå, prøver igjen');
    await page.unroute('**/drift/v1/tilstand');
    await page.getByRole('button', { name: 'Les nå' }).click();
    await isRead.waitFor();
    // What was refused above is told by the browser too.
    expect(error.splice(0).every((line) => line.includes('ERR_FAILED'))).toBe(true);
    await page.evaluate(
      "Object.defineProperty(document, 'hidden', { value: true, configurable: true }); document.dispatchEvent(new Event('visibilitychange'))",
    );
    expect(await read.textContent()).toContain('står stille mens siden ikke vises');
    await page.evaluate("delete document.hidden; document.dispatchEvent(new Event('visibilitychange'))");
    await isRead.waitFor();
  });

  test('shows how it goes, and what is parked', async () => {
    expect(await page.locator('#antall-parkerte').textContent()).toBe('3');
    expect(await rows('partisjoner').count()).toBe(2);
    expect(await rows('parkerte').count()).toBe(3);
    await page.getByLabel('Årsak').selectOption({ label: 'UGYLDIG_FELT (startDato): 1' });
    await page.getByRole('button', { name: 'Spill av alle med denne årsaken' }).waitFor();
    expect(await rows('parkerte').count()).toBe(1);
  });

  test('shows a message without what is about persons', async () => {
    await page.getByRole('button', { name: /Vis melding/ }).click();
    const dialog = page.getByRole('dialog');
    await dialog.waitFor();
    const shown = (await dialog.textContent()) ?? '';
    expect(shown).toContain('"startDato": "i går"');
    expect(await page.content()).not.toMatch(new RegExp(`${FNR}|Nordmann`));
  });

  test('discards it with a reason', async () => {
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel(/Begrunnelse/).selectOption('Testmelding');
    await dialog.getByRole('button', { name: 'Forkast' }).click();
    await waitFor('Meldingen er forkastet.');
    const [row] = await system.sql(
      `select tilstand, begrunnelse, behandlet_av from parkert_melding where felt = 'startDato'`,
    );
    expect(row).toEqual({
      tilstand: 'FORKASTET',
      begrunnelse: 'TESTMELDING',
      behandlet_av: ON_DUTY_NAV_IDENT,
    });
  });

  test('replays one that can be used by now, and then all', async () => {
    const value = JSON.stringify({ avtaleId: ID, sistEndret: '2026-01-01T00:00:00Z', avtaleNr: 7 });
    await system.sql(`update parkert_melding set verdi = convert_to($1, 'UTF8') where felt = 'avtaleNr'`, [value]);
    await page.getByLabel('Årsak').selectOption({ label: 'UGYLDIG_FELT (avtaleNr): 1' });
    await page.getByRole('button', { name: 'Spill av alle med denne årsaken' }).waitFor();
    await page.getByRole('button', { name: /Vis melding/ }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Spill av' }).click();
    await waitFor('Meldingen er tatt inn.');
    expect(await system.sql('select avtale_nr from avtale')).toEqual([{ avtale_nr: 7 }]);

    await page.getByRole('button', { name: 'Spill av alle parkerte' }).click();
    await answer('Spill av');
    await waitFor('0 av 1 meldinger er spilt av, 1 er forsøkt og fortsatt parkert.');
  });

  test('shows who did what', async () => {
    await unfold('handlinger');
    await rows('handlinger').getByText('Spilte av alle med en årsak').waitFor();
    const actions = await rows('handlinger').allTextContents();
    expect(actions).toHaveLength(5);
    expect(actions.every((line) => line.includes(ON_DUTY_NAV_IDENT))).toBe(true);
    expect(actions[0]).toContain('Spilte av alle med en årsak');
  });

  test('tells of the adapter and its syncs, and that there is none', async () => {
    await unfold('adapter');
    expect(await page.getByText('Organisasjonen har ingen adapter.').isVisible()).toBe(true);
    const as = { authorization: `Bearer ${await system.tokenForAdapter()}`, 'content-type': 'application/json' };
    const call = async (method: string, path: string, body: unknown): Promise<void> => {
      const response = await fetch(`${url}/adapter/v1/${path}`, {
        method,
        headers: as,
        body: JSON.stringify(body),
      });
      expect(response.ok).toBe(true);
    };
    await call('PUT', 'kontrakt', {
      adapterId: 'fylkets-adapter',
      heartbeatIntervallMinutter: 15,
      fullSynkIntervallDager: 7,
      deltaSynk: 'STRAKS',
      ressurser: ['avtaler'],
    });
    const metadata = { synkId: '00000000-0000-4000-8000-0000000000bb', side: 1, antallSider: 2, antallTotalt: 2 };
    await call('DELETE', 'avtaler/synk', { metadata, ressurser: [{ id: '00000000-0000-4000-8000-0000000000dd' }] });
    await page.reload();
    await logIn();
    await waitFor('fylkets-adapter');
    expect(await rows('synker').allTextContents()).toEqual([expect.stringContaining('SlettingMottar sider1 av 2')]);
  });

  test('releases the contract of the adapter, with a reason', async () => {
    await unfold('adapter');
    await page.getByLabel('Frigjøre kontrakten fordi').selectOption({ label: 'Feil klient har satt den' });
    await page.getByRole('button', { name: 'Frigjør kontrakten' }).click();
    // No is an answer too.
    await answer('Avbryt');
    await page.getByRole('button', { name: 'Frigjør kontrakten' }).click();
    await answer('Frigjør');
    await waitFor('Kontrakten er frigjort.');
    expect(await page.getByText('Organisasjonen har ingen adapter.').isVisible()).toBe(true);
    expect((await rows('handlinger').allTextContents())[0]).toContain('fylkets-adapter (adapter): FEIL_KLIENT');
  });

  test('rebuilds, and names what the topic does not tell of', async () => {
    const usable = { avtaleId: ID, sistEndret: '2026-01-01T00:00:00Z', avtaleNr: 7 };
    await system.publish([{ key: ID, value: JSON.stringify(usable) }]);
    await system.sql(
      `insert into avtale (avtale_id, feilregistrert, sist_endret, kilde_partisjon, kilde_offset)
       values ($1, false, '2026-01-01', 0, -1)`,
      [FOREIGN],
    );
    await unfold('gjenoppbygging');
    await page.getByRole('button', { name: 'Start gjenoppbygging' }).click();
    await answer('Start');
    await waitFor('1 avtaler fantes ikke lenger på topicen; de er ikke slettet.');
    // It is asked for once the rebuild is over.
    await page.locator('#usette', { hasText: FOREIGN }).waitFor();
    expect(await rows('usette').allTextContents()).toEqual([FOREIGN]);
  });

  test('reconciles with the topic and with a list, and deletes what the source does not have when told so', async () => {
    await unfold('avstemming');
    await page.getByRole('button', { name: 'Avstem mot topicen' }).click();
    const dialog = page.locator('#vis-avstemming');
    await dialog.waitFor();
    const report = page.waitForEvent('download');
    await dialog.getByRole('button', { name: 'Rapport som CSV' }).click();
    expect(readFileSync(await (await report).path(), 'utf8')).toMatch(
      new RegExp(`^type,avtaleId,.*\\r\\nFREMMED,${FOREIGN},`),
    );
    expect(await rows('differanser').allTextContents()).toEqual([expect.stringContaining(FOREIGN)]);
    await dialog.getByRole('button', { name: 'Slett 1 avtaler' }).click();
    await answer('Slett dem');
    await waitFor('1 er rettet, 0 gjenstår.');
    await dialog.getByRole('button', { name: 'Lukk' }).click();

    const away = { avtaleId: '00000000-0000-4000-8000-0000000000cc', sistEndret: '2026-01-01T00:00:00Z' };
    const list = [away, { avtaleId: ID, sistEndret: '2026-01-01T00:00:00Z' }]
      .map((action) => JSON.stringify(action))
      .join('\n');
    await page
      .getByLabel('Kildens liste (NDJSON)')
      .setInputFiles({ name: 'liste.ndjson', mimeType: 'application/x-ndjson', buffer: Buffer.from(list) });
    await page.getByRole('button', { name: 'Avstem mot listen' }).click();
    await dialog.waitFor();
    expect(await rows('differanser').allTextContents()).toEqual([expect.stringContaining(away.avtaleId)]);
    await dialog.getByRole('button', { name: 'Les tilbake fra topicen' }).click();
    await waitFor('0 er rettet, 1 gjenstår.');
    const loaded = page.waitForEvent('download');
    await dialog.getByRole('button', { name: 'Last ned' }).click();
    const file = await (await loaded).path();
    expect(readFileSync(file, 'utf8')).toContain(away.avtaleId);
    await dialog.getByRole('button', { name: 'Lukk' }).click();
    expect(await system.sql('select 1 from avtale where avtale_id = $1 and slettet is null', [FOREIGN])).toEqual([]);
  });

  test('has the relations checked, and keeps a report of it', async () => {
    await unfold('relasjoner');
    await page.getByRole('button', { name: 'Kontroller relasjonene' }).click();
    await waitFor('Kontrollen er ferdig: 0 mangler, 0 er overflødige.');
    const report = page.waitForEvent('download');
    await page
      .getByRole('button', { name: /^CSV rapport/ })
      .first()
      .click();
    expect(readFileSync(await (await report).path(), 'utf8')).toBe('avvik,relasjon,fra,til,deltakerId\r\n');
    expect((await rows('handlinger').allTextContents())[0]).toContain('Ba om kontroll av relasjonene');
  });

  test('what the database takes is there, by table and index, the largest first', async () => {
    await unfold('plass');
    expect(await rows('plass-tabeller').count()).toBeGreaterThan(20);
    expect(await page.locator('#plass-om').textContent()).toMatch(/^\d+(,\d)? MB$/);
    expect(await page.locator('#plass-tabeller').innerText()).toMatch(/parkert_melding\s+\d+/);
    expect(await rows('plass-indekser').count()).toBe(15);
    expect(await page.locator('#plass-spor').innerText()).toMatch(/\S/);
  });

  test('shows what links of virksomheter do not hang together, by number only when asked, and that none is kept', async () => {
    const nr = (n: number): string => syntheticOrgnr(n);
    const about = page.locator('#virksomheter-om');
    expect(await about.textContent()).toMatch(/^(henger sammen|første lasting pågår)$/);
    const say = (unit: number, above: number): { key: string; value: string } => ({
      key: nr(unit),
      value: JSON.stringify({
        organisasjonsnummer: nr(unit),
        overordnetEnhet: nr(above),
        sistEndret: '2026-01-01T00:00:00Z',
      }),
    });
    await units.publish([say(1, 2), say(2, 1), ...Array.from({ length: 3 }, (_, n) => say(10 + n, 20 + n))]);
    await waitUntil(async () => (await system.sql('select from virksomhet')).length === 5, { what: 'all five' });
    // What the ingestor does each quarter of an hour.
    await system.sql(
      `insert into manglende_virksomhet select overordnet_enhet, now() - interval '8 days', 0, 1 from virksomhet
       where hovedenhet is not null`,
    );
    await page.getByRole('button', { name: 'Les nå' }).click();
    await page.locator('#virksomheter-om', { hasText: '3 mangler, 2 uten hovedenhet' }).waitFor();
    expect(await page.locator('#virksomheter-prikk').getAttribute('data-tilstand')).toBe('obs');
    await unfold('virksomheter');
    expect(await page.locator('#virksomheter-del').innerText()).not.toMatch(/\d{9}/);
    await page.getByRole('button', { name: 'Vis hvilke som mangler' }).press('Enter');
    await rows('manglende').getByText(nr(20)).waitFor();
    expect(await rows('manglende').count()).toBe(3);
    await page.getByRole('button', { name: 'Vis hvilke som er uten' }).press('Enter');
    await rows('uten-hovedenhet')
      .getByText(`${nr(1)} → ${nr(2)} → ${nr(1)}`)
      .waitFor();
    // Listed anew once the answer is there.
    await rows('handlinger').getByText('Så hvilke virksomheter som ikke har hovedenhet').waitFor({ state: 'attached' });
    const noted = await rows('handlinger').allTextContents();
    expect(noted[0]).toContain('Så hvilke virksomheter som ikke har hovedenhet');
    expect(noted[1]).toContain('Så hvilke virksomheter som mangler');

    const off = { topic: null, tilstand: 'BRA', partisjoner: [] };
    await page.route('**/drift/v1/virksomheter', (route) => route.fulfill({ json: off }));
    await page.getByRole('button', { name: 'Les nå' }).click();
    await waitFor('Virksomheter er ikke i bruk her');
    expect(await page.locator('#manglende').isVisible()).toBe(false);
    await page.unroute('**/drift/v1/virksomheter');
    await page.getByRole('button', { name: 'Les nå' }).click();
    await page.locator('#manglende').waitFor();
  });

  test('rebuilds virksomheter too: what the topic does not have goes when somebody says so, and a gap is closed', async () => {
    const names = Array.from({ length: 3 }, (_, n) => syntheticOrgnr(40 + n));
    await system.sql(
      `insert into virksomhet (organisasjonsnummer, sist_endret, kilde_epoke, kilde_partisjon, kilde_offset)
       select nr, '2026-01-01', 0, 0, 0 from unnest($1::text[]) nr`,
      [names],
    );
    await system.sql(
      'insert into konsum_hull (topic, epoke, partisjon, fra_offset, til_offset) values ($1, 0, 0, 0, 1)',
      [units.topic],
    );
    await unfold('gjenoppbygging');
    await page.getByLabel('Hva som blir lest på nytt').selectOption({ label: 'Virksomheter' });
    await page.getByText('Ingen gjenoppbygging er startet.').waitFor();
    await page.getByRole('button', { name: 'Les nå' }).click();
    await page.getByRole('button', { name: 'Lag rapport, endre ingenting' }).click();
    await page
      .locator('#gjenoppbygging', { hasText: 'Ingenting er endret. 0 rader er ikke det topicen sier, og 3 virk' })
      .waitFor();
    expect(await system.sql('select from virksomhet where slettet is null')).toHaveLength(8);
    await page.getByLabel(/Kilden har sendt alle virksomheter på nytt siden 1 hull ble funnet/).check();
    await page.getByRole('button', { name: 'Start gjenoppbygging' }).click();
    await answer('Start');
    await page
      .locator('#gjenoppbygging', { hasText: '3 virksomheter finnes ikke på topicen lenger. De er så mange' })
      .waitFor();
    expect(await page.locator('#gjenoppbygging-om').textContent()).toMatch(/, virksomheter venter på bekreftelse$/);
    expect(await page.locator('#gjenoppbygging-del').innerText()).not.toMatch(/\d{9}/);
    await page.getByRole('button', { name: 'Vis hva topicen ikke har' }).press('Enter');
    await rows('noekler')
      .getByText(names[0] ?? '')
      .waitFor();
    expect(await rows('noekler').allTextContents()).toEqual(names.sort());
    expect(await seriousFaults(page)).toEqual([]);
    await page.getByRole('button', { name: 'La 3 virksomheter gå' }).click();
    await answer('Fjern dem');
    await page
      .locator('#gjenoppbygging', { hasText: '3 virksomheter som ikke fantes på topicen lenger, er fjernet.' })
      .waitFor();
    expect(await system.sql('select from virksomhet where slettet is null')).toHaveLength(5);
    const noted = await rows('handlinger').allTextContents();
    expect(noted.slice(0, 3)).toEqual([
      expect.stringContaining('Bekreftet at det topicen ikke har, kan fjernes'),
      expect.stringContaining('Så nøklene i en gjenoppbygging'),
      expect.stringContaining('Startet gjenoppbygging'),
    ]);
    await waitUntil(async () => (await system.sql('select from konsum_hull where lukket_av is null')).length === 0, {
      what: 'the gap to be closed',
    });
  });

  test('fits a narrow screen, and can be read aloud, in light and dark', async () => {
    await page.setViewportSize({ width: 320, height: 800 });
    for (const part of ['parkerte', 'avstemming', 'stroem', 'plass', 'virksomheter']) await unfold(part);
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(320);
    await page.setViewportSize({ width: 1280, height: 1000 });
    expect(await seriousFaults(page)).toEqual([]);
    await page.emulateMedia({ colorScheme: 'dark' });
    expect(await seriousFaults(page)).toEqual([]);
    await page.emulateMedia({ colorScheme: 'light' });
  });

  test('shows all organisations, and one that does not answer first', async () => {
    await page.goto(`${url}/drift/organisasjoner`);
    await tokenBox().fill(await system.tokenForOnDuty());
    await page.keyboard.press('Enter');
    const cards = page.locator('#organisasjoner > li');
    await cards.first().waitFor();
    expect(await cards.allInnerTexts()).toEqual([
      expect.stringMatching(/^borte[^]*Svarer ikke/),
      expect.stringMatching(/^nav[^]*Noe å se på[^]*Parkerte meldinger/),
    ]);
    expect(await seriousFaults(page)).toEqual([]);
    await page.goto(`${url}/drift`);
    await logIn();
  });

  test('forgets the token and what was shown when one logs out', async () => {
    await page.getByRole('button', { name: 'Logg ut' }).click();
    expect(await tokenBox().isVisible()).toBe(true);
    expect(await rows('parkerte').count()).toBe(0);
    await page.reload();
    await tokenBox().waitFor();
    expect(await page.evaluate('localStorage.length + sessionStorage.length')).toBe(0);
  });

  test('behind a login proxy: asks for no token, and logs out there', async () => {
    const proxy = await startLoginProxy(url, await system.tokenForOnDuty());
    ownPlaces.push(proxy.url);
    try {
      await page.goto(`${proxy.url}/drift`);
      await page.getByRole('heading', { name: 'Parkerte meldinger', exact: true }).waitFor();
      expect(await tokenBox().isVisible()).toBe(false);
      await unfold('avstemming');
      await page.getByRole('button', { name: 'Avstem mot topicen' }).click();
      await page.getByRole('dialog').getByRole('button', { name: 'Lukk' }).click();
      await page.getByRole('button', { name: 'Logg ut' }).click();
      await waitFor('logged out');
      expect(new URL(page.url()).pathname).toBe('/drift/oauth2/logout');
    } finally {
      await proxy.stop();
    }
  });

  test('names persons in the audit, and in no log', async () => {
    const [row] = await system.sql<{ n: string }>('select count(*) as n from driftshandling where hvem = $1', [
      ON_DUTY_NAV_IDENT,
    ]);
    expect(Number(row?.n)).toBeGreaterThan(5);
    for (const file of system.logFiles()) expect(readFileSync(file, 'utf8')).not.toContain(ON_DUTY_NAV_IDENT);
  });

  test('asks nobody else for anything, runs no script of its own, and has no errors', async () => {
    const { headers } = await fetch(`${url}/drift`);
    expect(headers.get('content-security-policy')).toContain("default-src 'none'; script-src 'self'");
    expect(otherPlaces).toEqual([]);
    expect(error).toEqual([]);
  });
});
