import { renamed } from './stock.ts';

test('a copy of the stock is of another avtale and another person, wherever a message names them', () => {
  const key = '01234567-ffff-4aaa-8aaa-0123456789ab';
  const fnr = '1'.repeat(11);
  const value = JSON.stringify({ avtaleId: key, avtaleNr: 12, deltakerFnr: fnr, del: { avtaleId: key, av: fnr } });
  const other = renamed({ key, value }, 2, () => '2'.repeat(11));
  expect(other.key).toBe('01234567-0001-4aaa-8aaa-0123456789ab');
  expect(JSON.parse(other.value)).toEqual({
    avtaleId: other.key,
    avtaleNr: 20_012,
    deltakerFnr: '2'.repeat(11),
    del: { avtaleId: other.key, av: '2'.repeat(11) },
  });
});
