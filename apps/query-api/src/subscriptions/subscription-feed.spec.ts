import { GRANTABLE_FIELDS } from '@tiltak/avtale';
import fc from 'fast-check';
import { syntheticFnr } from '@tiltak/testing';
import { deltakerId, startTestApi, type TestApi } from '../testing/test-api.ts';

let api: TestApi;
beforeAll(async () => {
  api = await startTestApi();
  await api.setFreshness(new Date());
});
afterAll(() => api.stop());

const IDENTS = Array.from({ length: 5 }, (_, i) => syntheticFnr(i));
const BEDRIFTER = ['910825518', '910825526'];
const KINDS = ['MENTOR', 'SOMMERJOBB', 'VTAO'];
/** Establishments, and what may be above them; each may be above each, round in a circle too. */
const UNITS = [...BEDRIFTER, '910000001', '910000002', '910000003'];
const avtale = (n: number): string => `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`;

/** What an avtale says, as far as these tests go. */
interface State {
  fnr: string;
  bedrift: string;
  kind: string;
  versjon: number;
  hidden: boolean;
}

interface Line {
  avtaleId: string;
  type: string;
  endret?: string[] | undefined;
  avtale?: Record<string, unknown> | undefined;
}

/** What all avtaler say and who is one person, told to the database as the ingestor does; and remembered. */
class World {
  readonly states = new Map<string, State>();
  /** by ident: the idents of one person have one name */
  readonly persons = new Map<string, string>(IDENTS.map((one) => [one, one]));
  /** by unit that is there: what is right above it */
  readonly units = new Map<string, string | null>();
  private versjon = 0;

  /** One transaction. */
  async write(changes: readonly (Omit<State, 'versjon'> & { n: number; deleted: boolean })[]): Promise<void> {
    await this.inTransaction(async (sql) => {
      for (const { n, deleted, ...said } of changes) await this.writeOne(sql, avtale(n), deleted ? undefined : said);
    });
  }

  private async writeOne(sql: Sql, id: string, said: Omit<State, 'versjon'> | undefined): Promise<void> {
    const before = this.states.get(id);
    const wasThere = before !== undefined && !before.hidden;
    if (said === undefined) {
      if (!before) return;
      this.states.delete(id);
      await sql(
        `update avtale set deltaker_fnr = null, deltaker_id = null, bedrift_nr = null, tiltakstype = null, versjon = null,
           feilregistrert = false, slettet = 'GRAVSTEIN' where avtale_id = $1`,
        [id],
      );
      await sql('delete from avtale_versjon where avtale_id = $1', [id]);
      if (wasThere) await sql(`insert into endring (avtale_id, type, aarsak) values ($1, 'SLETTET', 'SLETTET')`, [id]);
      return;
    }
    const state = { ...said, versjon: ++this.versjon };
    this.states.set(id, state);
    const values = [id, state.fnr, this.idOf(state.fnr), state.bedrift, state.kind, state.versjon, state.hidden];
    const columns = 'avtale_id, deltaker_fnr, deltaker_id, bedrift_nr, tiltakstype, versjon, feilregistrert';
    const { length } = await sql('select from avtale where avtale_id = $1', [id]);
    await sql(
      length > 0
        ? `update avtale set deltaker_fnr = $2, deltaker_id = $3, bedrift_nr = $4, tiltakstype = $5, versjon = $6,
             feilregistrert = $7, slettet = null where avtale_id = $1`
        : `insert into avtale (${columns}, kilde_partisjon, kilde_offset) values ($1, $2, $3, $4, $5, $6, $7, 0, 0)`,
      values,
    );
    await sql(
      `insert into avtale_versjon (${columns}, kilde_partisjon, kilde_offset) values ($1, $2, $3, $4, $5, $6, $7, 0, 0)`,
      values,
    );
    if (!state.hidden) await sql(`insert into endring (avtale_id, type) values ($1, 'ENDRET')`, [id]);
    else if (wasThere)
      await sql(`insert into endring (avtale_id, type, aarsak) values ($1, 'SLETTET', 'FEILREGISTRERT')`, [id]);
  }

  /** One unit, as the writer of virksomheter does it. @param above undefined: the unit is deleted */
  async move(unit: string, above: string | null | undefined): Promise<void> {
    if (above === undefined) this.units.delete(unit);
    else this.units.set(unit, above);
    await this.inTransaction((sql) => writeUnit(sql, unit, above));
  }

  /** A line that tells of a link alone. */
  async link(n: number): Promise<string[]> {
    const state = this.states.get(avtale(n));
    if (!state || state.hidden) return [];
    await api.owner.query(`insert into endring (avtale_id, type) values ($1, 'ENDRET')`, [avtale(n)]);
    return [avtale(n)];
  }

  /** These idents are one person's; or, of the same twice, it is a person by itself. @returns the avtaler that followed */
  async join(a: string, b: string): Promise<string[]> {
    const [left, right] = [this.alike(a), this.alike(b)];
    const rest = left.filter((one) => one !== a);
    if (a === b) for (const one of rest) this.persons.set(one, rest[0] ?? one);
    for (const one of a === b ? [a] : right) this.persons.set(one, a === b ? a : (this.persons.get(a) ?? a));
    const moved: string[] = [];
    await this.inTransaction(async (sql) => {
      await sql('delete from personident', []);
      for (const one of IDENTS) {
        if (this.alike(one).length > 1)
          await sql('insert into personident values ($1, $2)', [deltakerId(one), this.idOf(one)]);
      }
      for (const [id, { fnr, hidden }] of this.states) {
        const changed = await sql(
          'update avtale set deltaker_id = $2 where avtale_id = $1 and deltaker_id <> $2 returning avtale_id',
          [id, this.idOf(fnr)],
        );
        await sql('update avtale_versjon set deltaker_id = $2 where avtale_id = $1 and deltaker_fnr = $3', [
          id,
          this.idOf(fnr),
          fnr,
        ]);
        if ((changed[0] as unknown[]).length === 0 || hidden) continue;
        moved.push(id);
        await sql(`insert into endring (avtale_id, type) values ($1, 'ENDRET')`, [id]);
      }
    });
    return moved;
  }

  private alike(one: string): string[] {
    return IDENTS.filter((other) => this.persons.get(other) === this.persons.get(one));
  }

  private idOf(fnr: string): string {
    return this.alike(fnr).map(deltakerId).sort()[0] ?? '';
  }

  private inTransaction(work: (sql: Sql) => Promise<void>): Promise<void> {
    return inTransaction(work);
  }
}

async function inTransaction(work: (sql: Sql) => Promise<void>): Promise<void> {
  const db = api.owner.createQueryRunner();
  await db.startTransaction();
  try {
    await work((text, values) => db.query(text, values) as Promise<unknown[]>);
    await db.commitTransaction();
  } finally {
    if (db.isTransactionActive) await db.rollbackTransaction();
    await db.release();
  }
}

async function writeUnit(sql: Sql, unit: string, above: string | null | undefined): Promise<void> {
  await sql('select pg_advisory_xact_lock(7220324)', []);
  await sql(
    `insert into virksomhet (organisasjonsnummer, overordnet_enhet, slettet, kilde_epoke, kilde_partisjon, kilde_offset)
     values ($1, $2, $3, 0, 0, 0)
     on conflict (organisasjonsnummer) do update set overordnet_enhet = excluded.overordnet_enhet, slettet = excluded.slettet`,
    [unit, above ?? null, above === undefined ? 'GRAVSTEIN' : null],
  );
  await sql('select oppdater_hovedenheter(array[$1])', [unit]);
}

/** All that is below a unit, and itself: by its own chain for each, which has an end and is not too long. */
function below(top: string, units: ReadonlyMap<string, string | null>): Set<string> {
  const isBelow = (unit: string): boolean => {
    const chain = [unit];
    for (let next = units.get(unit); next != null && chain.length <= 21; next = units.get(next)) chain.push(next);
    return chain.length <= 21 && chain.includes(top);
  };
  return new Set([top, ...[...units.keys()].filter(isBelow)]);
}

type Sql = (text: string, values: unknown[]) => Promise<unknown[]>;

/** What a subscription ought to be told, worked out from what is said of all avtaler before and after each transaction. */
class Oracle {
  readonly groups: Line[][] = [];
  members = new Set<string>();
  private before = new Map<string, State>();

  constructor(private readonly world: World) {}

  private inside(
    states: ReadonlyMap<string, State>,
    persons: ReadonlyMap<string, string>,
    members: ReadonlySet<string>,
  ): Set<string> {
    const ours = new Set([...members].flatMap((key) => persons.get(key) ?? []));
    const tops = [...members].filter((key) => key.startsWith('H'));
    const units = new Set(tops.flatMap((key) => [...below(key.slice(1), this.world.units)]));
    const isOurs = ([id, { fnr, bedrift, kind, hidden }]: [string, State]): boolean =>
      !hidden &&
      (ours.has(persons.get(fnr) ?? '') || units.has(bedrift) || [bedrift, kind, id].some((key) => members.has(key)));
    return new Set([...states].filter(isOurs).map(([id]) => id));
  }

  private was = new Set<string>();

  /** After a transaction. @param told that the whole feed has a line of */
  note(told: readonly string[]): void {
    const { states, persons } = this.world;
    const is = this.inside(states, persons, this.members);
    const lines: Line[] = [];
    for (const id of new Set([...told, ...this.was, ...is])) {
      const now = states.get(id);
      if (is.has(id) && (told.includes(id) || !this.was.has(id))) {
        lines.push({ avtaleId: id, type: 'ENDRET', endret: this.endret(id), avtale: contentOf(id, now) });
      } else if (this.was.has(id) && !is.has(id)) {
        lines.push({ avtaleId: id, type: now && !now.hidden ? 'UTENFOR' : 'SLETTET' });
      }
    }
    this.groups.push(lines);
    this.was = is;
    this.before = new Map(states);
  }

  private endret(id: string): string[] | undefined {
    const [before, now] = [this.before.get(id), this.world.states.get(id)];
    if (!this.was.has(id) || !before || !now) return undefined;
    const names = { deltakerFnr: 'fnr', bedriftNr: 'bedrift', tiltakstype: 'kind', versjon: 'versjon' } as const;
    return Object.entries(names).flatMap(([field, name]) => (before[name] === now[name] ? [] : field));
  }

  current(): Record<string, unknown>[] {
    return [...this.was].map((id) => contentOf(id, this.world.states.get(id)) ?? {});
  }
}

function contentOf(id: string, state: State | undefined): Record<string, unknown> | undefined {
  return (
    state && {
      avtaleId: id,
      deltakerFnr: state.fnr,
      bedriftNr: state.bedrift,
      tiltakstype: state.kind,
      versjon: state.versjon,
    }
  );
}

interface Read {
  lines: Line[];
  position: string;
}

/** All there is after a position, in pages. */
async function readAll(subscription: string, after: string | undefined, count: number): Promise<Read> {
  await api.feedSeen();
  const lines: Line[] = [];
  let pages = 0;
  for (let position = after; ;) {
    if (++pages > 300) throw new Error(`It does not end: ${JSON.stringify({ after, position, lines })}`);
    const from = position === undefined ? '' : `&etter=${position}`;
    const response = await api.call(
      'GET',
      `/api/v1/endringer?abonnement=${subscription}&antall=${String(count)}${from}`,
    );
    expect(response).toMatchObject({ status: 200 });
    lines.push(...(response.body.endringer as Line[]));
    position = response.body.posisjon as string;
    if (!response.body.flere) return { lines, position };
  }
}

/** Group by group; the order within a transaction is nobody's business. */
function expectTold(actual: readonly Line[], groups: readonly Line[][], later: (id: string) => boolean): void {
  let at = 0;
  const byId = (a: Line, b: Line): number => a.avtaleId.localeCompare(b.avtaleId);
  for (const group of groups) {
    const part = actual.slice(at, at + group.length).sort(byId);
    at += group.length;
    const expected = [...group].sort(byId);
    expect(part.map(({ avtaleId, type }) => [avtaleId, type])).toEqual(
      expected.map(({ avtaleId, type }) => [avtaleId, type]),
    );
    for (const [i, line] of part.entries()) {
      if (line.type !== 'ENDRET') continue;
      const { endret, avtale: content } = expected[i] ?? {};
      if (endret) expect([...(line.endret ?? [])].sort()).toEqual([...endret].sort());
      else expect(line.endret).toEqual(GRANTABLE_FIELDS);
      if (line.avtale || !later(line.avtaleId)) expect(line.avtale).toMatchObject(content ?? {});
    }
  }
  expect(actual.slice(at)).toEqual([]);
}

const change = fc.record({
  n: fc.nat(5),
  fnr: fc.constantFrom(...IDENTS),
  bedrift: fc.constantFrom(...BEDRIFTER),
  kind: fc.constantFrom(...KINDS),
  hidden: fc.nat(9).map((n) => n === 0),
  deleted: fc.nat(6).map((n) => n === 0),
});
const tops = UNITS.slice(1).map((unit) => `H${unit}`);
const member = fc.constantFrom(...IDENTS, ...BEDRIFTER, ...tops, ...tops, 'MENTOR', avtale(0), avtale(1));
const move = fc.tuple(fc.constantFrom(...UNITS), fc.constantFrom(undefined, null, ...UNITS, ...UNITS));
const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ write: fc.uniqueArray(change, { minLength: 1, maxLength: 3, selector: ({ n }) => n }) }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ add: fc.array(member, { maxLength: 3 }), remove: fc.array(member, { maxLength: 2 }) }),
  },
  { weight: 1, arbitrary: fc.record({ replace: fc.array(member, { maxLength: 3 }) }) },
  { weight: 1, arbitrary: fc.record({ join: fc.tuple(fc.constantFrom(...IDENTS), fc.constantFrom(...IDENTS)) }) },
  { weight: 1, arbitrary: fc.record({ link: fc.nat(5) }) },
  { weight: 4, arbitrary: fc.record({ move }) },
  { weight: 2, arbitrary: fc.record({ read: fc.integer({ min: 1, max: 4 }) }) },
);

function asMembers(keys: readonly string[]): Record<string, string[]> {
  const kinds: [string, (key: string) => boolean][] = [
    ['personidenter', (key) => IDENTS.includes(key)],
    ['bedriftsnumre', (key) => BEDRIFTER.includes(key)],
    ['tiltakstyper', (key) => KINDS.includes(key)],
    ['avtaleIder', (key) => key.startsWith('0000')],
    ['hovedenheter', (key) => key.startsWith('H')],
  ];
  return Object.fromEntries(
    kinds.flatMap(([name, is]) => {
      const list = [...new Set(keys.filter(is))].map((key) => key.replace(/^H/, ''));
      return list.length > 0 ? [[name, list]] : [];
    }),
  );
}

let runs = 0;

const empty = (): Promise<unknown> =>
  api.owner.query(
    'truncate avtale, avtale_versjon, endring, avtale_endring, personident, virksomhet, virksomhet_endring, abonnement cascade',
  );

test('a subscription is told exactly what its avtaler say, whatever comes between', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 25 }), async (steps) => {
      await empty();
      const subscription = `test-${String(++runs)}`;

      const world = new World();
      const oracle = new Oracle(world);
      expect(await api.call('PUT', `/api/v1/abonnementer/${subscription}`, { body: {} })).toMatchObject({
        status: 200,
      });
      await api.feedSeen();
      const start = await api.call('GET', `/api/v1/endringer?abonnement=${subscription}&fra=naa`);
      expect(start).toMatchObject({ status: 200, body: { endringer: [], flere: false } });
      const from = start.body.posisjon as string;
      let reader = { position: from, groups: 0 };
      const touched = new Map<string, number>();
      for (const one of steps) {
        if ('write' in one) {
          await world.write(one.write);
          const told = one.write.map(({ n }) => avtale(n));
          for (const id of told) touched.set(id, oracle.groups.length);
          oracle.note(told);
        } else if ('link' in one) oracle.note(await world.link(one.link));
        else if ('move' in one) {
          await world.move(...one.move);
          oracle.note([]);
        } else if ('join' in one) {
          const moved = await world.join(...one.join);
          for (const id of moved) touched.set(id, oracle.groups.length);
          oracle.note(moved);
        } else if ('read' in one) {
          const { lines, position } = await readAll(subscription, reader.position, one.read);
          const at = oracle.groups.length;
          expectTold(lines, oracle.groups.slice(reader.groups), (id) => (touched.get(id) ?? -1) >= reader.groups);
          reader = { position, groups: at };
        } else {
          const body =
            'add' in one ? { leggTil: asMembers(one.add), fjern: asMembers(one.remove) } : asMembers(one.replace);
          const path = `/api/v1/abonnementer/${subscription}`;
          const response =
            'add' in one
              ? await api.call('POST', `${path}/medlemmer`, { body })
              : await api.call('PUT', path, { body });
          expect(response).toMatchObject({ status: 200 });
          if ('replace' in one) oracle.members = new Set(one.replace);
          else {
            for (const key of one.remove) oracle.members.delete(key);
            for (const key of one.add) oracle.members.add(key);
          }
          oracle.note([]);
        }
      }
      const all = await readAll(subscription, from, 3);
      expectTold(all.lines, oracle.groups, (id) => touched.has(id));
      const rest = await readAll(subscription, reader.position, 2);
      expectTold(rest.lines, oracle.groups.slice(reader.groups), (id) => touched.has(id));
      const fresh = await readAll(subscription, undefined, 2);
      const byId = (a: Record<string, unknown>, b: Record<string, unknown>): number =>
        String(a['avtaleId']).localeCompare(String(b['avtaleId']));
      expect(fresh.lines.map((line) => line.avtale ?? {}).sort(byId)).toEqual(
        oracle
          .current()
          .sort(byId)
          .map((content) => expect.objectContaining(content)),
      );
      expect((await readAll(subscription, fresh.position, 5)).lines).toEqual([]);
    }),
    { numRuns: 10 },
  );
}, 300_000);

/** What a copy says that is kept by these lines. */
function keep(copy: Map<string, unknown>, lines: readonly Line[]): void {
  for (const { avtaleId, type, avtale: content } of lines) {
    if (type === 'ENDRET') copy.set(avtaleId, content?.['bedriftNr']);
    else if (!copy.delete(avtaleId)) throw new Error(`Told that ${avtaleId} leaves, and it was not there`);
  }
}

/** Again, when another has changed it meanwhile, as the writers do. */
async function tryAgain(work: () => Promise<void>): Promise<void> {
  for (let n = 0; ; n++) {
    try {
      await work();
      return;
    } catch (error) {
      if (n === 20 || !/40001|40P01|23505/.test(String((error as { code?: string }).code))) throw error;
    }
  }
}

test('by hovedenhet, whoever writes virksomheter, avtaler and members at once: who has read all has exactly those below it', async () => {
  const avtaler = fc.array(fc.record({ n: fc.nat(7), bedrift: fc.constantFrom(...UNITS) }), { maxLength: 15 });
  const moves = fc.array(move, { minLength: 5, maxLength: 15 });
  const changes = fc.array(fc.subarray(tops), { maxLength: 5 });
  await fc.assert(
    fc.asyncProperty(avtaler, avtaler, moves, moves, changes, async (one, other, some, rest, members) => {
      await empty();
      const subscription = `samtidig-${String(++runs)}`;
      const put = async (keys: readonly string[]): Promise<void> => {
        const body = asMembers(keys);
        expect(await api.call('PUT', `/api/v1/abonnementer/${subscription}`, { body })).toMatchObject({ status: 200 });
      };
      await put(tops);
      const copy = new Map<string, unknown>();
      let position: string | undefined;
      let isWriting = true;
      const follow = async (): Promise<void> => {
        const read = await readAll(subscription, position, 2);
        keep(copy, read.lines);
        position = read.position;
      };
      const writeAvtaler = async (list: readonly { n: number; bedrift: string }[]): Promise<void> => {
        for (const { n, bedrift } of list) await tryAgain(() => inTransaction((sql) => writeAvtale(sql, n, bedrift)));
      };
      const writeUnits = async (list: readonly (readonly [string, string | null | undefined])[]): Promise<void> => {
        for (const [unit, above] of list) await tryAgain(() => inTransaction((sql) => writeUnit(sql, unit, above)));
      };
      const reading = (async () => {
        while (isWriting) await follow();
      })();
      const writing = Promise.all([
        writeAvtaler(one.filter(({ n }) => n < 4)),
        writeAvtaler(other.filter(({ n }) => n >= 4)),
        ...[writeUnits(some), writeUnits(rest)],
        (async () => {
          for (const keys of members) await put(keys);
        })(),
      ]);
      await writing.finally(() => (isWriting = false));
      await reading;
      await follow();
      const rows = await api.owner.query<{ nr: string; above: string | null }[]>(
        'select organisasjonsnummer as nr, overordnet_enhet as above from virksomhet where slettet is null',
      );
      const units = new Map(rows.map(({ nr, above }) => [nr, above]));
      const inside = new Set((members.at(-1) ?? tops).flatMap((key) => [...below(key.slice(1), units)]));
      const written = await api.owner.query<{ id: string; nr: string }[]>(
        'select avtale_id as id, bedrift_nr as nr from avtale',
      );
      expect(copy).toEqual(new Map(written.filter(({ nr }) => inside.has(nr)).map(({ id, nr }) => [id, nr])));
    }),
    { numRuns: 6 },
  );
}, 120_000);

test('an avtale whose row was taken away by hand is told to be gone once the feed tells of it, and is no more', async () => {
  await empty();
  const path = `/api/v1/abonnementer/test-${String(++runs)}`;
  const body = asMembers([BEDRIFTER[0] ?? '']);
  expect(await api.call('PUT', path, { body })).toMatchObject({ status: 200 });
  await inTransaction((sql) => writeAvtale(sql, 1, BEDRIFTER[0] ?? ''));
  const before = await readAll(`test-${String(runs)}`, undefined, 5);
  expect(before.lines).toMatchObject([{ avtaleId: avtale(1), type: 'ENDRET' }]);
  // As a rebuild does, which finds what the feed lacks: no row of the avtale changes.
  await api.owner.query('delete from avtale');
  const tellGone = `insert into endring (avtale_id, type, aarsak) values ($1, 'SLETTET', 'SLETTET')`;
  await api.owner.query(tellGone, [avtale(1)]);
  const after = await readAll(`test-${String(runs)}`, before.position, 5);
  expect(after.lines).toMatchObject([{ avtaleId: avtale(1), type: 'SLETTET' }]);
  await api.owner.query(tellGone, [avtale(1)]);
  expect((await readAll(`test-${String(runs)}`, after.position, 5)).lines).toEqual([]);
});

async function writeAvtale(sql: Sql, n: number, bedrift: string): Promise<void> {
  const values = [avtale(n), syntheticFnr(n), deltakerId(syntheticFnr(n)), bedrift];
  const columns =
    'avtale_id, deltaker_fnr, deltaker_id, bedrift_nr, tiltakstype, feilregistrert, kilde_partisjon, kilde_offset';
  const row = `($1, $2, $3, $4, 'MENTOR', false, 0, 0)`;
  await sql(
    `insert into avtale (${columns}) values ${row} on conflict (avtale_id) do update set bedrift_nr = excluded.bedrift_nr`,
    values,
  );
  await sql(`insert into avtale_versjon (${columns}) values ${row}`, values);
  await sql(`insert into endring (avtale_id, type) values ($1, 'ENDRET')`, [avtale(n)]);
}
