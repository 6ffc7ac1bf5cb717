import { batch, ID, message, startTestIngest, type TestIngest } from '../testing/test-ingest.ts';

/** The acceptance list at the end of the source contract: what the source is known to send, one test for each. */
let setup: TestIngest;
beforeAll(async () => {
  setup = await startTestIngest();
});
afterAll(() => setup.stop());
beforeEach(() => setup.empty());

type Fields = Record<string, unknown>;

/** Each message in a batch of its own: what is stored then meets what is stored already. */
async function after(...messages: Fields[]): Promise<Awaited<ReturnType<TestIngest['dump']>>> {
  for (const [offset, fields] of messages.entries()) await setup.ingest(batch([message(offset, fields)]));
  return setup.dump();
}

const T = (second: number, fraction = ''): string => `2026-02-01T10:00:${String(second).padStart(2, '0')}${fraction}Z`;

test('1: created without avtaleNr and content, then edited in bursts', async () => {
  const {
    avtale,
    avtale_versjon,
    endring: change,
  } = await after(
    { hendelseType: 'OPPRETTET', avtaleNr: null, startDato: null, sistEndret: T(1) },
    { hendelseType: 'ENDRET', avtaleNr: 322, startDato: '2026-03-01', sistEndret: T(2) },
    { hendelseType: 'ENDRET', avtaleNr: 322, startDato: '2026-03-02', sistEndret: T(3) },
  );
  expect(avtale).toMatchObject([{ avtale_nr: 322, start_dato: '2026-03-02' }]);
  expect([avtale_versjon.length, change.length]).toEqual([3, 3]);
});

test('2: from Arena, without veileder and sluttDato, created years back', async () => {
  const { avtale } = await after({
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
  const {
    avtale,
    avtale_versjon,
    endring: change,
  } = await after(
    { ...save, hendelseType: 'AVTALE_INNGÅTT' },
    { ...save, hendelseType: 'GODKJENT_AV_VEILEDER' },
    { ...save, hendelseType: 'GODKJENT_PAA_VEGNE_AV' },
  );
  expect(avtale).toMatchObject([{ avtale_status: 'GJENNOMFØRES', kilde_offset: 2 }]);
  expect([avtale_versjon.length, change.length]).toEqual([1, 1]);
});

test('4: STATUSENDRING with the old time, and with a new one', async () => {
  const { avtale, avtale_versjon } = await after(
    { avtaleStatus: 'KLAR_FOR_OPPSTART', sistEndret: T(1) },
    { avtaleStatus: 'GJENNOMFØRES', sistEndret: T(1), hendelseType: 'STATUSENDRING' },
    { avtaleStatus: 'AVSLUTTET', sistEndret: T(2), hendelseType: 'STATUSENDRING' },
  );
  expect(avtale).toMatchObject([{ avtale_status: 'AVSLUTTET' }]);
  expect(avtale_versjon.map((version) => version['avtale_status'])).toEqual([
    'KLAR_FOR_OPPSTART',
    'GJENNOMFØRES',
    'AVSLUTTET',
  ]);
});

test('5: a PATCH 0.4 µs older than the live message, with corrected content, wins', async () => {
  const { avtale } = await after(
    { bedriftNavn: 'LIVE', sistEndret: T(1, '.123456400') },
    { bedriftNavn: 'RETTET', sistEndret: T(1, '.123456'), hendelseType: 'PATCH' },
  );
  expect(avtale).toMatchObject([{ bedrift_navn: 'RETTET' }]);
});

test('6: a PATCH with a much older time at a later offset loses', async () => {
  const { avtale, avtale_versjon } = await after(
    { bedriftNavn: 'NY', sistEndret: T(9) },
    { bedriftNavn: 'GAMMEL', sistEndret: T(1), hendelseType: 'PATCH' },
  );
  expect(avtale).toMatchObject([{ bedrift_navn: 'NY', kilde_offset: 0 }]);
  expect(avtale_versjon).toHaveLength(1);
});

test('7: a PATCH after silent changes, with a gap in versjon', async () => {
  const { avtale } = await after(
    { versjon: 1, sistEndret: T(1) },
    { versjon: 3, sistEndret: T(5), hendelseType: 'PATCH' },
  );
  expect(avtale).toMatchObject([{ versjon: 3 }]);
});

test('8: messages in the old form', async () => {
  const { avtale } = await after({
    avtaleStatus: 'AVBRUTT',
    lonnstilskuddProsent: 40,
    antallDagerPerUke: null,
    utførtAv: 'tiltaksgjennomforing-api',
    sistEndret: T(1),
  });
  expect(avtale).toMatchObject([{ avtale_status: 'AVBRUTT', opphav: null, slettet: null }]);
  await setup.empty();
  expect((await after({ sistEndret: T(1) }, { slettemerket: true, sistEndret: T(2) })).avtale).toMatchObject([
    { slettet: 'SLETTEMERKET' },
  ]);
});

test.each([
  ['ANNULLERT', 'PÅBEGYNT'],
  ['AVSLUTTET', 'GJENNOMFØRES'],
  ['GJENNOMFØRES', 'MANGLER_GODKJENNING'],
])('9: %s goes back to %s', async (from, to) => {
  const { avtale } = await after(
    { avtaleStatus: from, annullertTidspunkt: T(0), feilregistrert: from === 'ANNULLERT', sistEndret: T(1) },
    { avtaleStatus: to, annullertTidspunkt: null, feilregistrert: false, sistEndret: T(2) },
  );
  expect(avtale).toMatchObject([{ avtale_status: to, annullert_tidspunkt: null, feilregistrert: false }]);
});

test("10: a beslutter's approval without entry; an approval on behalf that outlives its lifting", async () => {
  const { avtale } = await after({
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
  const { avtale, parkert_melding } = await after({
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
])('12: %s', async (_, fields, row) => expect((await after(fields)).avtale).toMatchObject([row]));

test('13: malformed JSON is parked and stops nothing; a tombstone is tolerated', async () => {
  await setup.ingest(
    batch([
      { offset: 0, key: Buffer.from(ID), value: Buffer.from('{"avtaleId":') },
      message(1, { avtaleNr: 1 }),
      { offset: 2, key: Buffer.from(ID), value: null },
    ]),
  );
  const { avtale, parkert_melding } = await setup.dump();
  expect(parkert_melding).toMatchObject([
    // The tombstone deletes what it is about, and so the bytes of this one too.
    { kafka_offset: 0, kode: 'IKKE_JSON', verdi: null, innhold_fjernet_aarsak: 'AVTALE_SLETTET' },
  ]);
  expect(avtale).toMatchObject([{ slettet: 'GRAVSTEIN' }]);
});

test.each([
  ['2025-10-26T02:30:00', '2025-10-26T00:30:00+00:00'],
  ['2025-03-30T02:30:00.1', '2025-03-30T01:30:00.1+00:00'],
  ['2026-02-01T10:00:00.123456789', '2026-02-01T09:00:00.123457+00:00'],
])('14: %s in Oslo is %s', async (local, utc) =>
  expect((await after({ avtaleInngått: local })).avtale).toMatchObject([{ avtale_inngaatt: utc }]),
);

test("15: the mentor's position is not stored as the participant's", async () => {
  const { avtale } = await after({ tiltakstype: 'MENTOR', stillingprosent: 50, antallDagerPerUke: 3 });
  expect(avtale).toMatchObject([{ stillingprosent: null, antall_dager_per_uke: null }]);
});

test('16: a protected address leaves no mark: what is stored is the reduced dataset and nothing else', async () => {
  const { avtale } = await after({
    deltakerFornavn: 'Navn',
    deltakerTlf: '99999999',
    enhetGeografisk: '2103',
    diskresjonskode: 'SPSF',
  });
  expect(
    Object.values(avtale[0] ?? {}).filter((value) => ['Navn', '99999999', '2103', 'SPSF'].includes(String(value))),
  ).toEqual([]);
});
