import { SCENARIOS } from '@tiltak/simulator';
import { syntheticFnr } from '@tiltak/testing';
import { startTestSandbox, type TestSandbox } from './testing/test-sandbox.ts';

/** The program as it is published: what a consumer starts. */
let sandbox: TestSandbox;
beforeAll(async () => {
  sandbox = await startTestSandbox();
}, 120_000);
afterAll(() => sandbox.stop());
beforeEach(async () => {
  expect((await sandbox.control('POST', 'nullstill')).status).toBe(204);
});

interface Planted {
  personer: { identer: string[] }[];
  avtaler: { avtaleId: string; fase?: string; annullertUnderveis?: boolean }[];
}

async function plant(name: string, body: object = {}): Promise<Planted> {
  const { status, body: planted } = await sandbox.control('POST', `scenarier/${name}`, body);
  expect([name, status]).toEqual([name, 200]);
  return planted as Planted;
}

const statusOf = async (ident: string): Promise<{ svar: string; dato: string }> => {
  const { body } = await sandbox.ask('POST', 'personer/tiltaksstatus', { personidenter: [ident] });
  return { dato: body.dato, ...body.personer[0] };
};
const today = async (): Promise<string> => (await sandbox.control('GET', 'klokke')).body.dato;
/** For an hour or two before midnight in UTC it is another day than here. */
const osloDay = (time: string | null): string =>
  new Date(String(time)).toLocaleDateString('sv-SE', { timeZone: 'Europe/Oslo' });
const daysAfter = (day: string, count: number): string =>
  new Date(Date.parse(day) + count * 86_400_000).toISOString().slice(0, 10);

describe('what it plants is what the product answers', () => {
  test('every scenario: each avtale has the phase that it says, and is not there when it says none', async () => {
    for (const name of Object.keys(SCENARIOS)) {
      const { personer, avtaler } = await plant(name, name === 'mange-avtaler' ? { antall: 30 } : {});
      expect(personer.length + avtaler.length).toBeGreaterThan(0);
      for (const { avtaleId, fase, annullertUnderveis } of avtaler.slice(0, 30)) {
        const { status, body } = await sandbox.ask('GET', `avtaler/${avtaleId}`);
        const expected = fase === undefined ? [name, 404] : [name, 200, fase, annullertUnderveis];
        expect([name, status, body.fase, body.annullertUnderveis ?? false].slice(0, expected.length)).toEqual(expected);
      }
    }
  });

  test('each row of the decision table is there', () => {
    const world = { today: '2026-06-15', newPerson: () => syntheticFnr(1), newBedrift: () => '310000000' };
    const phases = Object.values(SCENARIOS).flatMap((scenario) =>
      scenario
        .plant(world, 1)
        .avtaler.flatMap(({ fase, annullertUnderveis }) =>
          fase === undefined ? [] : `${fase}${annullertUnderveis === true ? ' underveis' : ''}`,
        ),
    );
    expect([...new Set(phases)].sort()).toEqual([
      'ANNULLERT',
      'AVSLUTTET',
      'AVSLUTTET underveis',
      'IKKE_INNGAATT_PAA_NYTT',
      'PAAGAAR',
      'PAAGAAR underveis',
      'PLANLAGT',
      'PLANLAGT underveis',
      'UTKAST',
    ]);
  });

  test('links, persons with several idents, history and the change feed follow, as from the stream', async () => {
    const { avtaler } = await plant('lenker');
    const [earlier, present] = avtaler;
    const { body } = await sandbox.ask('GET', `avtaler/${String(present?.avtaleId)}`);
    expect(body._links.forrige.href).toBe(`/api/v1/avtaler/${String(earlier?.avtaleId)}`);
    expect([body._links.samtidige.length, body._links.mentor.length]).toEqual([2, 1]);

    const { personer } = await plant('flere-identer');
    for (const ident of personer[0]?.identer ?? []) {
      const { body: found } = await sandbox.ask('POST', 'avtaler/sok', { personidenter: [ident] });
      expect(found.avtaler).toHaveLength(2);
    }

    const { avtaler: prolonged } = await plant('lang-historikk');
    const { body: versions } = await sandbox.ask('GET', `avtaler/${String(prolonged[0]?.avtaleId)}/versjoner`);
    expect(versions.versjoner).toHaveLength(5);

    const { avtaler: deleted } = await plant('slettet');
    const { body: changes } = await sandbox.ask('GET', 'endringer');
    const last = changes.endringer.at(-1);
    expect([last.avtaleId, last.type]).toEqual([deleted[0]?.avtaleId, 'SLETTET']);
  });

  test('by content: it says what was put, the ordering rule holds, and a delete is one', async () => {
    const avtaleId = '0000aaaa-0000-4000-8000-000000000001';
    const deltakerFnr = syntheticFnr(900_001);
    const content = {
      deltakerFnr,
      tiltakstype: 'NOE_NYTT',
      startDato: '2026-01-01',
      avtaleInngaatt: '2025-12-20T10:00:00+01:00',
    };
    const put = await sandbox.control('PUT', `avtaler/${avtaleId}`, content);
    expect(put.body).toEqual({ avtaleId, utfall: 'TATT_INN' });
    const { body } = await sandbox.ask('GET', `avtaler/${avtaleId}`);
    expect(body).toMatchObject({
      deltakerFnr,
      tiltakstype: 'UKJENT',
      bedriftNr: null,
      avtaleInngaatt: '2025-12-20T09:00:00Z',
      avtaleNr: 1,
    });
    const old = await sandbox.control('PUT', `avtaler/${avtaleId}`, { ...content, sistEndret: '2020-01-01T00:00:00Z' });
    expect(old.body.utfall).toBe('FORELDET');
    expect((await sandbox.control('DELETE', `avtaler/${avtaleId}`)).status).toBe(204);
    expect((await sandbox.ask('GET', `avtaler/${avtaleId}`)).status).toBe(404);
    // It comes again, also when the clock has been set back.
    await sandbox.control('POST', 'klokke', { flyttDager: -30 });
    await sandbox.control('PUT', `avtaler/${avtaleId}`, content);
    expect((await sandbox.ask('GET', `avtaler/${avtaleId}`)).status).toBe(200);
  });
});

describe('the clock', () => {
  test('today, phases, the feed, freshness and the audit follow it, forwards and back, and tokens hold', async () => {
    const { personer, avtaler } = await plant('planlagt');
    const ident = personer[0]?.identer[0] ?? '';
    const before = await today();
    expect((await statusOf(ident)).svar).toBe('NEI');
    for (const [days, answer] of [
      [30, 'JA'],
      [100, 'NEI'],
      [-130, 'NEI'],
      [25, 'JA'],
    ] as const) {
      const day = await today();
      expect((await sandbox.control('POST', 'klokke', { flyttDager: days })).body.dato).toBe(daysAfter(day, days));
      expect(await statusOf(ident)).toMatchObject({ svar: answer, dato: daysAfter(day, days) });
    }
    const now = daysAfter(before, 25);
    const { body, headers } = await sandbox.ask('GET', `avtaler/${String(avtaler[0]?.avtaleId)}`);
    expect(body.fase).toBe('PAAGAAR');
    expect(osloDay(headers.get('data-oppdatert'))).toBe(now);
    // Also where Postgres itself tells what day it is.
    const { body: found } = await sandbox.ask('POST', 'avtaler/sok', { faser: ['PAAGAAR'] });
    expect(found.avtaler).toHaveLength(1);
    await plant('paagaar');
    const { body: feed } = await sandbox.ask('GET', 'endringer');
    expect(osloDay(feed.endringer.at(-1).tidspunkt)).toBe(now);
    const { body: audit } = await sandbox.control('GET', 'oppslag');
    expect(osloDay(audit.oppslag.at(-1).tidspunkt)).toBe(now);
    // What was known then, when «then» is still to come by this machine's clock.
    const per = (await sandbox.control('GET', 'klokke')).body.tidspunkt;
    expect((await sandbox.ask('POST', 'avtaler/sok', { gjeldendePer: per })).status).toBe(200);
  });

  test('data grows stale, and is fresh again', async () => {
    await sandbox.control('POST', 'ferskhet', { alderSekunder: 3_600 });
    const ageOf = async (): Promise<number> => {
      const { headers } = await sandbox.ask('POST', 'avtaler/sok', {});
      return (Date.now() - Date.parse(headers.get('data-oppdatert') ?? '')) / 1_000;
    };
    const first = await ageOf();
    expect(first).toBeGreaterThan(3_590);
    await new Promise((later) => setTimeout(later, 1_200));
    expect(await ageOf()).toBeGreaterThan(first + 1);
    await sandbox.control('POST', 'ferskhet', { alderSekunder: 0 });
    expect(await ageOf()).toBeLessThan(3_000);
  });
});

describe('faults', () => {
  test('so many calls of an operation are answered with the status, as the product says it, and no other', async () => {
    for (const status of [429, 503, 500]) {
      await sandbox.control('POST', 'feil', { operasjon: 'sokAvtaler', status, antall: 2 });
      for (let i = 0; i < 2; i++) {
        expect((await sandbox.ask('POST', 'personer/tiltaksstatus', { personidenter: [syntheticFnr(7)] })).status).toBe(
          200,
        );
        const { status: answered, headers, body } = await sandbox.ask('POST', 'avtaler/sok', {});
        expect([answered, body.status, body.callId]).toEqual([status, status, headers.get('nav-call-id')]);
        expect(headers.get('content-type')).toContain('application/problem+json');
        expect(headers.get('retry-after')).toBe(status === 500 ? null : '1');
      }
      expect((await sandbox.ask('POST', 'avtaler/sok', {})).status).toBe(200);
    }
  });

  test('a position is gone: as asked, and after all was reset; what is said of a new start is the product’s', async () => {
    await plant('paagaar');
    const { body: page } = await sandbox.ask('GET', 'endringer');
    await sandbox.control('POST', 'feil', { operasjon: 'hentEndringer', status: 410 });
    const asked = await sandbox.ask('GET', `endringer?etter=${String(page.posisjon)}`);
    expect((await sandbox.ask('GET', `endringer?etter=${String(page.posisjon)}`)).status).toBe(200);
    await sandbox.control('POST', 'nullstill');
    const own = await sandbox.ask('GET', `endringer?etter=${String(page.posisjon)}`);
    expect([asked.status, own.status]).toEqual([410, 410]);
    expect([asked.body.type, asked.body.nyStart]).toEqual([own.body.type, own.body.nyStart]);
  });

  test('what a consumer follows is gone after all was reset, also to who waits for it', async () => {
    const body = { bedriftsnumre: ['310000001'] };
    expect((await sandbox.ask('PUT', 'abonnementer/mine', body)).status).toBe(200);
    const { body: page } = await sandbox.ask('GET', 'endringer?abonnement=mine');
    const waiting = sandbox.ask('GET', `endringer?abonnement=mine&ventSekunder=5&etter=${String(page.posisjon)}`);
    expect((await sandbox.control('POST', 'nullstill')).status).toBe(204);
    expect((await sandbox.ask('GET', 'abonnementer/mine')).status).toBe(404);
    expect((await waiting).status).toBe(404);
    // It may be made anew, and is told of what comes.
    expect((await sandbox.ask('PUT', 'abonnementer/mine', body)).status).toBe(200);
    const { body: start } = await sandbox.ask('GET', 'endringer?abonnement=mine');
    const avtaleId = '0000aaaa-0000-4000-8000-000000000010';
    const woken = sandbox.ask('GET', `endringer?abonnement=mine&ventSekunder=30&etter=${String(start.posisjon)}`);
    await sandbox.control('PUT', `avtaler/${avtaleId}`, { bedriftNr: '310000001', tiltakstype: 'MENTOR' });
    expect((await woken).body.endringer).toMatchObject([{ avtaleId, type: 'ENDRET' }]);
  });

  test('who asks is in the audit after all was reset, as before', async () => {
    const asked = async (): Promise<unknown> => {
      await sandbox.ask('GET', 'endringer');
      const { body } = await sandbox.control('GET', 'oppslag');
      return (body['oppslag'] as { konsument: string; operasjon: string }[]).map(({ konsument, operasjon }) => [
        konsument,
        operasjon,
      ]);
    };
    const before = await asked();
    await sandbox.control('POST', 'nullstill');
    expect(before).toEqual([['alt', 'hentEndringer']]);
    expect(await asked()).toEqual(before);
  });

  test('an answer is slow, an export breaks off, and nothing goes wrong any more', async () => {
    await sandbox.control('POST', 'feil', { operasjon: 'hentFerskhet', forsinkelseMs: 400 });
    const from = performance.now();
    expect((await sandbox.ask('GET', 'ferskhet')).status).toBe(200);
    expect(performance.now() - from).toBeGreaterThan(390);
    await plant('mange-personer', { antall: 50 });
    const whole = await sandbox.ask('GET', 'eksport');
    await sandbox.control('POST', 'feil', { operasjon: 'eksporterAvtaler', bruddEtterByte: 500, antall: 2 });
    await expect(sandbox.ask('GET', 'eksport')).rejects.toThrow('terminated');
    expect((await sandbox.control('DELETE', 'feil')).status).toBe(204);
    expect((await sandbox.control('GET', 'feil')).body).toEqual({ feil: [] });
    expect((await sandbox.ask('GET', 'eksport')).body.length).toBe(whole.body.length);
  });
});

describe('who asks', () => {
  test('the audit tells who looked up whom, for what, and what was refused', async () => {
    const { personer } = await plant('paagaar');
    const ident = personer[0]?.identer[0] ?? '';
    await sandbox.ask('POST', 'personer/tiltaksstatus', { personidenter: [ident] }, 'smal');
    expect((await sandbox.ask('POST', 'avtaler/sok', { personidenter: [ident] }, 'smal')).status).toBe(403);
    const { body } = await sandbox.control('GET', 'oppslag?konsument=smal&operasjon=hentTiltaksstatus');
    expect(body.oppslag).toEqual([
      expect.objectContaining({
        konsument: 'smal',
        behandlingsgrunnlag: 'LOKAL-SMAL',
        identer: [ident],
        antallTreff: 1,
        tillatt: true,
        felter: ['tiltakstype', 'avtaleStatus', 'startDato', 'sluttDato'],
      }),
    ]);
  });

  test('each consumer has what its grant says, by one call or by client credentials, and others have nothing', async () => {
    const form = (clientId: string): Promise<Response> =>
      fetch(`${sandbox.url}/sandkasse/oauth2/token`, {
        method: 'POST',
        body: new URLSearchParams({
          grant_type: 'client_credentials',
          client_id: clientId,
          client_secret: 'x',
          scope: 'y',
        }),
      });
    const askWith = async (token: string): Promise<number> =>
      (await fetch(`${sandbox.url}/api/v1/ferskhet`, { headers: { authorization: `Bearer ${token}` } })).status;
    for (const [client, status] of [
      ['alt', 200],
      ['11111111-0000-4000-8000-000000000001', 200],
      ['smal', 403],
      ['nobody', 403],
    ] as const) {
      const { access_token: token, expires_in: seconds } = (await (await form(client)).json()) as {
        access_token: string;
        expires_in: number;
      };
      expect([client, await askWith(token), seconds]).toEqual([client, status, 3_599]);
    }
    expect(await askWith('made.up.token')).toBe(401);
    expect((await sandbox.control('GET', 'token/nobody')).status).toBe(404);
  });
});

describe('what it refuses', () => {
  const id = 'avtaler/0000aaaa-0000-4000-8000-000000000009';
  // As a person's: the month is a month.
  const real = (n: number): string => {
    const ident = syntheticFnr(n);
    return ident.slice(0, 2) + String(Number(ident.slice(2, 4)) - 80).padStart(2, '0') + ident.slice(4);
  };

  test.each<[method: string, path: string, field: string, body: unknown]>([
    ['PUT', id, 'deltakerFnr', { deltakerFnr: real(3) }],
    ['PUT', id, 'bedriftNr', { bedriftNr: real(4) }],
    ['PUT', id, 'bedriftNavn', { bedriftNavn: `Ola ${real(5)}` }],
    ['PUT', id, 'startDato', { startDato: '2026-02-30' }],
    ['PUT', id, 'avtaleInngaatt', { avtaleInngaatt: 'i går' }],
    ['PUT', id, 'stillingprosent', { stillingprosent: 'hel' }],
    ['PUT', id, 'fornavn', { fornavn: 'x' }],
    ['PUT', 'avtaler/x', 'avtaleId', {}],
    ['POST', 'personer', 'identer', { identer: [syntheticFnr(1), real(6)] }],
    ['POST', 'scenarier/finnes-ikke', 'navn', {}],
    ['POST', 'scenarier/paagaar', 'antall', { antall: 2 }],
    ['POST', 'klokke', 'tidspunkt', {}],
    ['POST', 'klokke', 'tidspunkt', { tidspunkt: '2026-13-01T00:00:00Z' }],
    ['POST', 'klokke', 'tidspunkt', { tidspunkt: '2026-12-01' }],
    ['POST', 'ferskhet', 'alderSekunder', { alderSekunder: -1 }],
    ['POST', 'feil', 'operasjon', { operasjon: 'finnesIkke', status: 503 }],
    ['POST', 'feil', 'status', { operasjon: 'hentFerskhet' }],
    ['POST', 'feil', 'status', { status: 418 }],
    ['POST', 'feil', 'retryAfter', { status: 500, retryAfter: 3 }],
    ['GET', 'oppslag?antall=0', 'antall', undefined],
  ])('%s %s: what is wrong with %s', async (method, path, field, body) => {
    const response = await sandbox.control(method, path, body);
    expect([response.status, response.body.feil.map(({ felt }: { felt: string }) => felt)]).toEqual([400, [field]]);
    expect(JSON.stringify(response.body)).not.toMatch(/\d{11}/);
    expect((await sandbox.ask('POST', 'avtaler/sok', {})).body.avtaler).toEqual([]);
  });
});
