import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { logger } from '@tiltak/platform';
import { register } from 'prom-client';
import { parse, stringify } from 'yaml';
import { startTestApi } from '../testing/test-api.ts';
import { readKonsumenter, type Konsumenter } from './konsumenter.ts';
import { OpenRequests } from './open-requests.ts';
import { RegistryReload } from './registry.job.ts';

const directory = mkdtempSync(join(tmpdir(), 'register-'));
const file = join(directory, 'konsumenter.yaml');
const { level } = logger;

beforeAll(() => {
  logger.level = 'silent';
});
afterAll(() => {
  logger.level = level;
  rmSync(directory, { recursive: true });
});

const purpose = { id: 'B1', lenke: 'https://x.no/B1', operasjoner: ['sokAvtaler'], felter: ['avtaleId'] };
const registry = (...names: string[]): string =>
  stringify(
    names.map((name) => ({
      navn: name,
      azp: name,
      bruksvilkaar: 2,
      behandlingsgrunnlag: [purpose],
      kvote: { perSekund: 1, burst: 5 },
    })),
  );

/** Put in place as the platform does it: all of a directory at once, by a symlink. */
let swap = 0;
function mount(content: string): void {
  const version = join(directory, `v${String(++swap)}`);
  mkdirSync(version);
  writeFileSync(join(version, 'konsumenter.yaml'), content);
  const link = join(directory, '..data');
  symlinkSync(version, `${link}.new`);
  renameSync(`${link}.new`, link);
  if (swap === 1) symlinkSync(join(link, 'konsumenter.yaml'), file);
}

function started(content: string): { konsumenter: Konsumenter; round: () => string[] } {
  mount(content);
  const konsumenter = readKonsumenter(file);
  const reload = new RegistryReload(file, konsumenter, new OpenRequests());
  return {
    konsumenter,
    round: () => {
      reload.round();
      return [...konsumenter.keys()];
    },
  };
}

const metric = async (name: string): Promise<unknown[]> =>
  ((await register.getSingleMetric(name)?.get())?.values ?? []).map(({ value, labels }) => ({ value, ...labels }));

test('a registry that says something else is in use from then on, and can be told from the one before', async () => {
  const { konsumenter, round } = started(registry('a', 'b'));
  expect(round()).toEqual(['a', 'b']);
  const [before] = await metric('query_konsumenter');
  expect(before).toMatchObject({ value: 2, generasjon: expect.stringMatching(/^[0-9a-f]{12}$/) });
  for (let n = 0; n < 4; n++) konsumenter.get('b')?.kvote?.take();

  mount(registry('b', 'c', 'd'));
  expect(round()).toEqual(['b', 'c', 'd']);
  expect(await metric('query_konsumenter')).toEqual([{ value: 3, generasjon: expect.any(String) }]);
  expect(await metric('query_konsumenter')).not.toEqual([before]);
  expect(konsumenter.get('b')?.kvote?.left).toBeLessThan(5);
  expect(konsumenter.get('c')?.kvote?.left).toBe(5);
});

test.each([
  ['is not YAML', '- navn: ['],
  ['grants what does not exist', registry('a').replace('sokAvtaler', 'slettAlt')],
  ['is empty', ''],
])('a file that %s changes nothing, and is told of', async (_, content) => {
  const { round } = started(registry('a'));
  round();
  mount(content);
  expect(round()).toEqual(['a']);
  expect(round()).toEqual(['a']);
  expect(await metric('query_konsumenter_ugyldig')).toEqual([{ value: 1 }]);
  mount(registry('b'));
  expect(round()).toEqual(['b']);
  expect(await metric('query_konsumenter_ugyldig')).toEqual([{ value: 0 }]);
});

test('nor does a file that is gone', async () => {
  const { round } = started(registry('a'));
  round();
  const link = join(directory, '..data', 'konsumenter.yaml');
  unlinkSync(link);
  expect(round()).toEqual(['a']);
  expect(await metric('query_konsumenter_ugyldig')).toEqual([{ value: 1 }]);
  writeFileSync(link, registry('a'));
  expect(round()).toEqual(['a']);
  expect(await metric('query_konsumenter_ugyldig')).toEqual([{ value: 0 }]);
});

test('a consumer that is removed is out within 30 s, also of what it is being answered', async () => {
  const api = await startTestApi();
  try {
    await api.setFreshness(new Date());
    const { posisjon } = (await api.call('GET', '/api/v1/endringer')).body as { posisjon: string };
    const path = `/api/v1/endringer?etter=${posisjon}&ventSekunder=30`;
    const outcome = (as: string, behandlingsgrunnlag: string): Promise<string> =>
      api.call('GET', path, { as, headers: { behandlingsgrunnlag } }).then(
        ({ status }) => String(status),
        () => 'cut off',
      );
    // Known by its token already.
    const token = await api.issuer.token({ azp: 'alt' });
    expect(await api.call('GET', '/api/v1/ferskhet', { token })).toMatchObject({ status: 200 });
    const begun = Date.now();
    const others = outcome('to-formal', 'B1');
    const removed = outcome('alt', 'B0');
    const all = parse(readFileSync(api.registry, 'utf8')) as { navn: string }[];
    writeFileSync(api.registry, stringify(all.filter(({ navn }) => navn !== 'alt')));
    expect(await Promise.race([removed, others])).toBe('cut off');
    expect(await removed).toBe('cut off');
    expect(Date.now() - begun).toBeLessThan(30_000);
    expect(await api.call('GET', '/api/v1/ferskhet', { token })).toMatchObject({ status: 403 });
    // Something new ends the wait of those who may.
    await api.owner.query(`insert into endring (avtale_id, type) values (gen_random_uuid(), 'ENDRET')`);
    expect(await others).toBe('200');
  } finally {
    await api.stop();
  }
});
