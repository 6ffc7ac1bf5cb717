import fc from 'fast-check';
import pg from 'pg';
import { CODE_VALUES, GRANTABLE_FIELDS, phaseOn } from '@tiltak/avtale';
import { hovedenhetOf } from '@tiltak/virksomhet';
import { narrowed } from '../lookups/narrowed.ts';
import { fillSkewed, filterValues, LARGE_EMPLOYER, readsOf } from '../testing/skewed-avtaler.ts';
import { deltakerId, startTestApi, type TestApi } from '../testing/test-api.ts';
import { WHOLE_AVTALE } from './avtaler.fields.ts';
import type { AvtaleFilter } from './avtaler.filter.ts';
import { searchQuery } from './avtaler.queries.ts';

/** Of all employers, and some that there are no avtaler with: what each says is right above it; null: nothing. */
const tree = new Map<string, string | null>();
/** Has thousands below it, nearly all without avtaler. */
const MUNICIPALITY = '800000001';
const unit = (n: number): string => String(800000000 + n);
/** Chains of all lengths, one that leads into a cycle, a unit that was deleted and one that never came. */
const [CYCLE, DELETED, MISSING, STATE] = [unit(11), unit(13), unit(14), unit(20)];

/** Any search, in pages of any size, against what comes of looking at each avtale in memory. */
let api: TestApi;
let db: pg.Client;
let avtaler: Row[];
let versions: Row[];
let VALUES: ReturnType<typeof filterValues>;

interface Row {
  avtale_id: string;
  deltaker_fnr: string | null;
  deltaker_id: string;
  bedrift_nr: string | null;
  tiltakstype: string | null;
  avtale_status: string | null;
  start_dato: string | null;
  slutt_dato: string | null;
  sist_endret: string;
  feilregistrert?: boolean;
  laert: string;
  inngaatt: boolean;
  har_vaert_inngaatt: boolean;
  annullert: boolean;
  annullert_dag: string | null;
  aldri_begynt: boolean;
  fra_arena: boolean;
}

const COLUMNS = `avtale_id, deltaker_fnr, deltaker_id, bedrift_nr, tiltakstype, avtale_status, start_dato::text, slutt_dato::text,
  to_char(sist_endret at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') as sist_endret, avtale_inngaatt is not null as inngaatt,
  har_vaert_inngaatt, annullert, annullert_dag::text, aldri_begynt, fra_arena`;

beforeAll(async () => {
  api = await startTestApi();
  await api.setFreshness(new Date());
  await fillSkewed(api.owner, 2_500);
  const persons = Array.from({ length: 100 }, (_, n) => String(n).padStart(11, '0'));
  for (const table of ['avtale', 'avtale_versjon'])
    await api.owner.query(
      `update ${table} set deltaker_id = id from unnest($1::text[], $2::uuid[]) as person(fnr, id) where deltaker_fnr = fnr`,
      [persons, persons.map(deltakerId)],
    );
  plantTree();
  await storeUnits([...tree.keys()]);
  avtaler = await api.owner.query(`select ${COLUMNS} from avtale_synlig order by avtale_id`);
  versions = await api.owner.query(
    `select ${COLUMNS}, feilregistrert, to_char(laert at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') as laert
    from avtale_versjon_synlig order by avtale_id, lopenr`,
  );
  VALUES = filterValues(
    avtaler.slice(100, 150).map((row) => row.avtale_id),
    deltakerId('00000000012'),
  );
  VALUES.hovedenhet = [LARGE_EMPLOYER, MUNICIPALITY, unit(2), unit(3), CYCLE, DELETED, MISSING, STATE, '920000007'];
  const { host, port, database, queryApi } = api.database;
  db = new pg.Client({ host, port, database, user: queryApi.username, password: queryApi.password });
  await db.connect();
}, 120_000);
afterAll(async () => {
  await db.end();
  await api.stop();
});

function plantTree(): void {
  for (const [n, above] of [[1], [2, 1], [3, 2], [11, 12], [12, 11], [20], [21, 20], [22, 21]] as const)
    tree.set(unit(n), above === undefined ? null : unit(above));
  const above = [unit(2), unit(3), CYCLE, DELETED, MISSING, unit(22), unit(21), MUNICIPALITY, LARGE_EMPLOYER];
  for (let n = 0; n < 125; n++) tree.set(String(920000000 + n), above[n % 10] ?? null);
  tree.set(LARGE_EMPLOYER, unit(20));
  for (let n = 0; n < 5_100; n++) tree.set(String(930000000 + n), [MUNICIPALITY, unit(2), unit(3)][n % 3] ?? null);
}

/** As the ingestor would store them. */
async function storeUnits(units: readonly string[]): Promise<void> {
  const rows = units.map((nr) => [nr, tree.get(nr) ?? null, hovedenhetOf(nr, (other) => tree.get(other))]);
  await api.owner.query(
    `insert into virksomhet (organisasjonsnummer, overordnet_enhet, hovedenhet, slettet, kilde_epoke, kilde_partisjon, kilde_offset)
     select nr, over, topp, slettet, 0, 0, 0 from unnest($1::text[], $2::text[], $3::text[], $4::text[]) as enhet(nr, over, topp, slettet)
     on conflict (organisasjonsnummer) do update set overordnet_enhet = excluded.overordnet_enhet, hovedenhet = excluded.hovedenhet`,
    [
      ...[0, 1, 2].map((column) => [...rows.map((row) => row[column]), ...(column === 0 ? [DELETED] : [null])]),
      [...rows.map(() => null), 'GRAVSTEIN'],
    ],
  );
}

/** The unit, and all whose chain goes through it to a top. */
function below(over: string): string[] {
  const isBelow = (nr: string): boolean => {
    const chain: string[] = [];
    for (let at: string | null | undefined = nr; at != null && chain.length < 22; at = tree.get(at)) chain.push(at);
    return chain.length < 22 && chain.includes(over);
  };
  return [over, ...[...tree.keys()].filter((nr) => nr !== over && isBelow(nr))];
}

const today = (): string => new Intl.DateTimeFormat('sv-SE', { timeZone: 'Europe/Oslo' }).format(Date.now());

function expected(filter: AvtaleFilter, kind?: string): string[] {
  const { gjeldendePer: moment } = filter;
  const then = new Map<string, Row>();
  for (const row of versions) if (moment !== undefined && row.laert <= moment) then.set(row.avtale_id, row);
  const rows = moment === undefined ? avtaler : [...then.values()].filter((row) => !row.feilregistrert);
  const day = filter.faseDato ?? (moment === undefined ? today() : moment.slice(0, 10));
  const units = filter.hovedenhet === undefined ? undefined : below(filter.hovedenhet);
  return rows
    .filter((row) => (kind === undefined || row.tiltakstype === kind) && matches(row, filter, { day, units }))
    .map((row) => row.avtale_id);
}

interface AsOf {
  day: string;
  /** the unit that is searched by, and all below it */
  units: string[] | undefined;
}

function matches(row: Row, filter: AvtaleFilter, { day, units }: AsOf): boolean {
  const isOne = <T>(values: readonly T[] | undefined, value: T | null): boolean =>
    values === undefined || (value !== null && values.includes(value));
  const { fra: from = '0000-01-01', til: to = '9999-12-31' } = filter.periode ?? {};
  const { tiltakstype, avtaleStatus } = CODE_VALUES;
  return (
    isOne(filter.personidenter, row.deltaker_fnr) &&
    isOne(filter.deltakerId === undefined ? undefined : [filter.deltakerId], row.deltaker_id) &&
    isOne(filter.avtaleIder, row.avtale_id) &&
    isOne(filter.bedriftsnumre, row.bedrift_nr) &&
    isOne(units, row.bedrift_nr) &&
    isOne(filter.tiltakstyper, row.tiltakstype && tiltakstype.fromSource(row.tiltakstype)) &&
    isOne(filter.statuser, row.avtale_status && avtaleStatus.fromSource(row.avtale_status)) &&
    isOne(filter.faser, phaseOf(row, day)) &&
    (!filter.periode ||
      (row.start_dato !== null && row.start_dato <= to && (row.slutt_dato ?? '9999-12-31') >= from)) &&
    (filter.endretEtter === undefined || row.sist_endret > filter.endretEtter)
  );
}

function phaseOf(row: Row, day: string): ReturnType<typeof phaseOn> {
  return phaseOn(day, {
    ...{ startDato: row.start_dato, sluttDato: row.slutt_dato, entered: row.inngaatt, annulled: row.annullert },
    ...{ everEntered: row.har_vaert_inngaatt, annulledDay: row.annullert_dag },
    ...{ neverBegan: row.aldri_begynt, fromArena: row.fra_arena },
  });
}

const NAMES = [
  ...['bedriftsnumre', 'tiltakstyper', 'statuser', 'faser', 'faseDato', 'periode', 'endretEtter', 'gjeldendePer'],
  ...['hovedenhet', 'personidenter', 'avtaleIder'],
] as (keyof AvtaleFilter)[];

/** Of the filters that are named, a value each. Those of persons and ids less often. */
const filters = fc
  .tuple(
    fc.subarray(NAMES.slice(0, 9), { maxLength: 4 }),
    fc.subarray(NAMES.slice(9), { maxLength: 1 }),
    fc.nat(5),
    fc.nat(999),
  )
  .map(([broad, keyed, dice, n]): AvtaleFilter => {
    const names = dice === 0 ? [...broad, ...keyed] : broad;
    return Object.fromEntries(names.map((name, i) => [name, VALUES[name][(n + i) % VALUES[name].length]]));
  });

/** A thousand for a page of a few, and more for one of many, or of a unit with many below it. */
const mostBesides = (size: number, { hovedenhet, bedriftsnumre }: AvtaleFilter): number => {
  const isOfMany = hovedenhet !== undefined && !bedriftsnumre && below(hovedenhet).length > 100;
  return Math.max(isOfMany ? 21_000 : 1_000, 125 * (size + 1));
};

test.each([
  ['some', STATE, unit(21)],
  ['thousands', MUNICIPALITY, unit(2)],
])(
  'of a unit with %s below it, each page is of those that are below it then, while parts of it move',
  async (_, top, part) => {
    const found: string[] = [];
    let next: string | undefined;
    let pages = 0;
    do {
      const wanted = expected({ hovedenhet: top }).filter((id) => id > (found.at(-1) ?? ''));
      const { status, body } = await api.call('POST', '/api/v1/avtaler/sok', {
        body: { hovedenhet: top, antall: 9, ...(next !== undefined && { neste: next }) },
      });
      const ids = body.avtaler?.map((avtale: { avtaleId: string }) => avtale.avtaleId);
      expect([status, ids]).toEqual([200, wanted.slice(0, ids?.length)]);
      expect(body.neste === undefined ? ids.length === wanted.length : ids.length <= 9).toBe(true);
      found.push(...ids);
      next = body.neste;
      // Away, and home again.
      tree.set(part, pages++ % 2 === 0 ? unit(12) : top);
      await storeUnits(below(part).filter((nr) => tree.has(nr)));
    } while (next !== undefined && pages < 6);
    tree.set(part, top);
    await storeUnits(below(part).filter((nr) => tree.has(nr)));
    expect([found.length > 20, new Set(found).size]).toEqual([true, found.length]);
  },
);

test('all pages of any search have all that match, each once and in order', async () => {
  await fc.assert(
    fc.asyncProperty(
      filters,
      fc.constantFrom(7, 100, 1_000),
      fc.constantFrom('alt', 'alt', 'bare-mentor'),
      fc.boolean(),
      async (filter, atMost, as, isExtract) => {
        const wanted = expected(filter, as === 'bare-mentor' ? 'MENTOR' : undefined);
        const size = wanted.length > 60 ? Math.max(atMost, 100) : atMost;
        const path = `/api/v1/avtaler/${isExtract ? 'utdrag' : 'sok'}`;
        const body = { ...filter, antall: size, ...(isExtract && { felter: ['avtaleId'] }) };
        const found: string[] = [];
        let next: string | undefined;
        do {
          const page = await api.call('POST', path, { as, body: { ...body, ...(next && { neste: next }) } });
          expect([page.status, page.body.avtaler?.length <= size]).toEqual([200, true]);
          found.push(...page.body.avtaler.map((avtale: { avtaleId: string }) => avtale.avtaleId));
          next = page.body.neste;
        } while (next !== undefined);
        expect(found).toEqual(wanted);
      },
    ),
    { numRuns: 25 },
  );
}, 120_000);

test('a page of any search reads twenty rows for each that it has, and a number that its size gives, whatever plan is made', async () => {
  const plans = fc.constantFrom('force_generic_plan' as const, 'force_custom_plan' as const);
  const kinds = fc.constantFrom(undefined, { published: ['MENTOR' as const], stored: ['MENTOR'] });
  await fc.assert(
    fc.asyncProperty(filters, fc.constantFrom(1, 7, 20), plans, kinds, async (filter, size, plan, held) => {
      const selection = filter.gjeldendePer === undefined ? WHOLE_AVTALE : GRANTABLE_FIELDS;
      const tiltakstyper = held?.published.filter((kind) => filter.tiltakstyper?.includes(kind) ?? true);
      const query = searchQuery({ ...filter, ...(tiltakstyper && { tiltakstyper }) }, selection, { limit: size + 1 });
      const { read, rows, text } = await readsOf(db, held ? narrowed(query, held) : query, plan);
      const answered = Math.min(size, rows);
      expect([filter, size, read <= 20 * answered + mostBesides(size, filter) || text]).toEqual([filter, size, true]);
    }),
    { numRuns: 25 },
  );
}, 120_000);
