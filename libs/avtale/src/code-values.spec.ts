import { AVTALESTATUSER, CODE_VALUES, TILTAKSTYPER, UKJENT } from './code-values.ts';

test("the source's texts become ASCII and back", () => {
  const { avtaleStatus } = CODE_VALUES;
  expect(['PÅBEGYNT', 'GJENNOMFØRES', 'AVSLUTTET'].map(avtaleStatus.fromSource)).toEqual([
    'PAABEGYNT',
    'GJENNOMFORES',
    'AVSLUTTET',
  ]);
  expect(avtaleStatus.known.map(avtaleStatus.fromSource)).toEqual(AVTALESTATUSER.filter((status) => status !== UKJENT));
});

test('a value unknown today is UKJENT, also one that looks like ours', () => {
  expect(CODE_VALUES.avtaleStatus.fromSource('PAABEGYNT')).toBe(UKJENT);
  expect(CODE_VALUES.tiltakstype.fromSource('NYTT')).toBe(UKJENT);
  expect(CODE_VALUES.tiltakstype.known).toHaveLength(TILTAKSTYPER.length - 1);
});
