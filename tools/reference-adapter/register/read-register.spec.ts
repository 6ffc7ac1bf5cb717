import { join } from 'node:path';
import { createWorkDir } from '@tiltak/testing';
import { Register, startRegisterServer, type RegisterServer } from '@tiltak/simulator';
import { RegisterCopy } from './copy.ts';
import { followFeeds, readAll } from './read-register.ts';
import { RegisterApi } from './register-api.ts';
import { virksomhetOf } from './virksomhet.ts';

const HOUR_MS = 3_600_000;
const { directory, clean } = createWorkDir('register');
let register: Register;
let server: RegisterServer;
let source: RegisterApi;

beforeAll(async () => {
  register = new Register({ count: 2_000 });
  server = await startRegisterServer(register, directory);
  source = new RegisterApi(server.url, { firstPause: 1 });
});
afterAll(async () => {
  await server.stop();
  clean();
});

/** Of one that is struck off the register tells no more than this, to who did not know it before. */
const shown = (unit: ReturnType<typeof virksomhetOf>): unknown =>
  unit.slettetDato === null ? unit : [unit.organisasjonsnummer, unit.navn, unit.organisasjonsform, unit.slettetDato];

function expectSame(copy: RegisterCopy): void {
  const expected = [...register.state()].map(({ unit, slettedato }) =>
    shown({ ...virksomhetOf(unit), slettetDato: slettedato ?? null }),
  );
  const rows = copy.page('', copy.count()).map(({ innhold }) => shown(JSON.parse(innhold) as never));
  const texts = (units: unknown[]): string[] => units.map((unit) => JSON.stringify(unit)).sort();
  expect(texts(rows)).toEqual(texts(expected));
}

test('the copy is as the register, with changes while the files lie there, faults, and a new start between', async () => {
  const file = join(directory, 'kopi.sqlite');
  let copy = new RegisterCopy(file);
  await expect(followFeeds(source, copy)).rejects.toThrow('begin with a full sync');
  register.change(100);
  await server.makeFiles();
  register.change(100, HOUR_MS / 10);
  let asked = 0;
  server.setFaults(() => (++asked % 7 === 0 ? 503 : asked % 11 === 0 ? 'RESET' : undefined));
  expect(await readAll(source, copy, directory)).toMatchObject({ count: 0 });
  expectSame(copy);
  for (let round = 0; round < 3; round++) {
    register.change(60);
    // Nothing is kept but what the file holds.
    copy.close();
    copy = new RegisterCopy(file);
    expect(await followFeeds(source, copy)).toMatchObject({ count: 0 });
    expectSame(copy);
  }
  copy.markAllSent();
  // The files are older than some of what the feed told, and tell nothing new of what has not changed.
  register.change(20, HOUR_MS);
  await server.makeFiles();
  register.change(40);
  await readAll(source, copy, directory);
  expectSame(copy);
  expect(copy.unsent(10_000).length).toBeLessThanOrEqual(60);
  copy.close();
});

test('a unit that is struck off keeps what was known of it', () => {
  const known = virksomhetOf({ organisasjonsnummer: '310000007', navn: 'A', overordnetEnhet: '310000015' });
  const struck = virksomhetOf({ organisasjonsnummer: '310000007', navn: 'A', slettedato: '2026-01-02' }, known);
  expect(struck).toMatchObject({ overordnetEnhet: '310000015', slettetDato: '2026-01-02' });
});
