import { AVTALESTATUSER, KODEVERK, TILTAKSTYPER, UKJENT } from './kodeverk.ts';

test("the source's texts become ASCII and back", () => {
  const { avtaleStatus } = KODEVERK;
  expect(['PÅBEGYNT', 'GJENNOMFØRES', 'AVSLUTTET'].map(avtaleStatus.fraKilde)).toEqual([
    'PAABEGYNT',
    'GJENNOMFORES',
    'AVSLUTTET',
  ]);
  expect(avtaleStatus.kjente.map(avtaleStatus.fraKilde)).toEqual(AVTALESTATUSER.filter((status) => status !== UKJENT));
});

test('a value unknown today is UKJENT, also one that looks like ours', () => {
  expect(KODEVERK.avtaleStatus.fraKilde('PAABEGYNT')).toBe(UKJENT);
  expect(KODEVERK.tiltakstype.fraKilde('NYTT')).toBe(UKJENT);
  expect(KODEVERK.tiltakstype.kjente).toHaveLength(TILTAKSTYPER.length - 1);
});
