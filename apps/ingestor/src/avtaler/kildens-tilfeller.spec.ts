import { batch, ID, melding, startTestInnlesning, type TestInnlesning } from '../testing/test-innlesning.ts';

/** The acceptance list at the end of the source contract: what the source is known to send, one test for each. */
let oppsett: TestInnlesning;
beforeAll(async () => {
  oppsett = await startTestInnlesning();
});
afterAll(() => oppsett.stopp());
beforeEach(() => oppsett.toem());

type Felter = Record<string, unknown>;

/** Each message in a batch of its own: what is stored then meets what is stored already. */
async function etter(...meldinger: Felter[]): Promise<Awaited<ReturnType<TestInnlesning['dump']>>> {
  for (const [offset, felter] of meldinger.entries()) await oppsett.innlesning.lesInn(batch([melding(offset, felter)]));
  return oppsett.dump();
}

const T = (sekund: number, broek = ''): string => `2026-02-01T10:00:${String(sekund).padStart(2, '0')}${broek}Z`;

test('1: created without avtaleNr and content, then edited in bursts', async () => {
  const { avtale, avtale_versjon, endring } = await etter(
    { hendelseType: 'OPPRETTET', avtaleNr: null, startDato: null, sistEndret: T(1) },
    { hendelseType: 'ENDRET', avtaleNr: 322, startDato: '2026-03-01', sistEndret: T(2) },
    { hendelseType: 'ENDRET', avtaleNr: 322, startDato: '2026-03-02', sistEndret: T(3) },
  );
  expect(avtale).toMatchObject([{ avtale_nr: 322, start_dato: '2026-03-02' }]);
  expect([avtale_versjon.length, endring.length]).toEqual([3, 3]);
});

test('2: from Arena, without veileder and sluttDato, created years back', async () => {
  const { avtale } = await etter({
    hendelseType: 'OPPRETTET_AV_ARENA',
    veilederNavIdent: null,
    sluttDato: null,
    opprettetTidspunkt: '2014-05-05T00:00:00',
    opphav: 'ARENA',
  });
  expect(avtale).toMatchObject([
    { veileder_nav_ident: null, slutt_dato: null, opprettet_tidspunkt: '2014-05-04T22:00:00+00:00' },
  ]);
});

test('3: two or three messages of one save: the last decides nothing new', async () => {
  const save = { avtaleStatus: 'GJENNOMFØRES', sistEndret: T(1) };
  const { avtale, avtale_versjon, endring } = await etter(
    { ...save, hendelseType: 'AVTALE_INNGÅTT' },
    { ...save, hendelseType: 'GODKJENT_AV_VEILEDER' },
    { ...save, hendelseType: 'GODKJENT_PAA_VEGNE_AV' },
  );
  expect(avtale).toMatchObject([{ avtale_status: 'GJENNOMFØRES', kilde_offset: 2 }]);
  expect([avtale_versjon.length, endring.length]).toEqual([1, 1]);
});

test('4: STATUSENDRING with the old time, and with a new one', async () => {
  const { avtale, avtale_versjon } = await etter(
    { avtaleStatus: 'KLAR_FOR_OPPSTART', sistEndret: T(1) },
    { avtaleStatus: 'GJENNOMFØRES', sistEndret: T(1), hendelseType: 'STATUSENDRING' },
    { avtaleStatus: 'AVSLUTTET', sistEndret: T(2), hendelseType: 'STATUSENDRING' },
  );
  expect(avtale).toMatchObject([{ avtale_status: 'AVSLUTTET' }]);
  expect(avtale_versjon.map((versjon) => versjon['avtale_status'])).toEqual([
    'KLAR_FOR_OPPSTART',
    'GJENNOMFØRES',
    'AVSLUTTET',
  ]);
});

test('5: a PATCH 0.4 µs older than the live message, with corrected content, wins', async () => {
  const { avtale } = await etter(
    { bedriftNavn: 'LIVE', sistEndret: T(1, '.123456400') },
    { bedriftNavn: 'RETTET', sistEndret: T(1, '.123456'), hendelseType: 'PATCH' },
  );
  expect(avtale).toMatchObject([{ bedrift_navn: 'RETTET' }]);
});

test('6: a PATCH with a much older time at a later offset loses', async () => {
  const { avtale, avtale_versjon } = await etter(
    { bedriftNavn: 'NY', sistEndret: T(9) },
    { bedriftNavn: 'GAMMEL', sistEndret: T(1), hendelseType: 'PATCH' },
  );
  expect(avtale).toMatchObject([{ bedrift_navn: 'NY', kilde_offset: 0 }]);
  expect(avtale_versjon).toHaveLength(1);
});

test('7: a PATCH after silent changes, with a gap in versjon', async () => {
  const { avtale } = await etter(
    { versjon: 1, sistEndret: T(1) },
    { versjon: 3, sistEndret: T(5), hendelseType: 'PATCH' },
  );
  expect(avtale).toMatchObject([{ versjon: 3 }]);
});

test('8: messages in the old form', async () => {
  const { avtale } = await etter({
    avtaleStatus: 'AVBRUTT',
    lonnstilskuddProsent: 40,
    antallDagerPerUke: null,
    utførtAv: 'tiltaksgjennomforing-api',
    sistEndret: T(1),
  });
  expect(avtale).toMatchObject([{ avtale_status: 'AVBRUTT', opphav: null, slettet: null }]);
  await oppsett.toem();
  expect((await etter({ sistEndret: T(1) }, { slettemerket: true, sistEndret: T(2) })).avtale).toMatchObject([
    { slettet: 'SLETTEMERKET' },
  ]);
});

test.each([
  ['ANNULLERT', 'PÅBEGYNT'],
  ['AVSLUTTET', 'GJENNOMFØRES'],
  ['GJENNOMFØRES', 'MANGLER_GODKJENNING'],
])('9: %s goes back to %s', async (fra, til) => {
  const { avtale } = await etter(
    { avtaleStatus: fra, annullertTidspunkt: T(0), feilregistrert: fra === 'ANNULLERT', sistEndret: T(1) },
    { avtaleStatus: til, annullertTidspunkt: null, feilregistrert: false, sistEndret: T(2) },
  );
  expect(avtale).toMatchObject([{ avtale_status: til, annullert_tidspunkt: null, feilregistrert: false }]);
});

test("10: a beslutter's approval without entry; an approval on behalf that outlives its lifting", async () => {
  const { avtale } = await etter({
    godkjentAvBeslutter: '2026-02-01T10:00:00',
    avtaleInngått: null,
    godkjentPaVegneAvArbeidsgiver: true,
    godkjentAvArbeidsgiver: null,
  });
  expect(avtale).toMatchObject([
    {
      avtale_inngaatt: null,
      godkjent_av_beslutter: '2026-02-01T09:00:00+00:00',
      godkjent_paa_vegne_av_arbeidsgiver: true,
    },
  ]);
});

test('11: unknown hendelseType and tiltakstype, and an extra field', async () => {
  const { avtale, parkert_melding } = await etter({
    hendelseType: 'NOE_HELT_NYTT',
    tiltakstype: 'NYTT_TILTAK',
    etNyttFelt: { a: [1] },
  });
  expect(avtale).toMatchObject([{ tiltakstype: 'NYTT_TILTAK' }]);
  expect(parkert_melding).toEqual([]);
});

test.each([
  ['without participant', { deltakerFnr: null }, { deltaker_fnr: null, deltaker_id: null }],
  ['with a wrong check digit', { deltakerFnr: '1'.repeat(11) }, { deltaker_fnr: '1'.repeat(11) }],
  ['without employer', { bedriftNr: '' }, { bedrift_nr: '' }],
])('12: %s', async (_, felter, rad) => expect((await etter(felter)).avtale).toMatchObject([rad]));

test('13: malformed JSON is parked and stops nothing; a tombstone is tolerated', async () => {
  await oppsett.innlesning.lesInn(
    batch([
      { offset: 0, nokkel: Buffer.from(ID), verdi: Buffer.from('{"avtaleId":') },
      melding(1, { avtaleNr: 1 }),
      { offset: 2, nokkel: Buffer.from(ID), verdi: null },
    ]),
  );
  const { avtale, parkert_melding } = await oppsett.dump();
  expect(parkert_melding).toMatchObject([
    { kafka_offset: 0, kode: 'IKKE_JSON', verdi: `\\x${Buffer.from('{"avtaleId":').toString('hex')}` },
  ]);
  expect(avtale).toMatchObject([{ slettet: 'GRAVSTEIN' }]);
});

test.each([
  ['2025-10-26T02:30:00', '2025-10-26T00:30:00+00:00'],
  ['2025-03-30T02:30:00.1', '2025-03-30T01:30:00.1+00:00'],
  ['2026-02-01T10:00:00.123456789', '2026-02-01T09:00:00.123457+00:00'],
])('14: %s in Oslo is %s', async (lokal, utc) =>
  expect((await etter({ avtaleInngått: lokal })).avtale).toMatchObject([{ avtale_inngaatt: utc }]),
);

test("15: the mentor's position is not stored as the participant's", async () => {
  const { avtale } = await etter({ tiltakstype: 'MENTOR', stillingprosent: 50, antallDagerPerUke: 3 });
  expect(avtale).toMatchObject([{ stillingprosent: null, antall_dager_per_uke: null }]);
});

test('16: a protected address leaves no mark: what is stored is the reduced dataset and nothing else', async () => {
  const { avtale } = await etter({
    deltakerFornavn: 'Navn',
    deltakerTlf: '99999999',
    enhetGeografisk: '2103',
    diskresjonskode: 'SPSF',
  });
  expect(
    Object.values(avtale[0] ?? {}).filter((verdi) => ['Navn', '99999999', '2103', 'SPSF'].includes(String(verdi))),
  ).toEqual([]);
});
