import { CODE_VALUES } from './code-values.ts';
import { AVTALE_FIELDS, FIELDS, GRANTABLE_FIELDS, SOURCE_FIELDS } from './fields.ts';

/** The fingerprint of what is stored is made of the fields in this order: a new one goes last. */
test('the reduced dataset of rule 9, in the order it is stored in', () => {
  expect(AVTALE_FIELDS.join(' ')).toBe(
    'avtaleId avtaleNr deltakerFnr bedriftNr bedriftNavn veilederNavIdent tiltakstype versjon avtaleStatus ' +
      'avtaleInngaatt startDato sluttDato stillingprosent antallDagerPerUke stillingstype godkjentAvDeltaker ' +
      'godkjentAvArbeidsgiver godkjentAvVeileder godkjentAvBeslutter godkjentAvNavIdent godkjentAvBeslutterNavIdent ' +
      'godkjentPaaVegneAv godkjentPaaVegneAvArbeidsgiver opphav opprettetTidspunkt annullertTidspunkt feilregistrert ' +
      'sistEndret',
  );
});

test("a field bears the source's name, in ASCII", () => {
  const renamed = AVTALE_FIELDS.filter((name) => FIELDS[name].source !== name);
  expect(renamed.map((name) => FIELDS[name].source)).toEqual([
    'avtaleInngått',
    'godkjentPaVegneAv',
    'godkjentPaVegneAvArbeidsgiver',
  ]);
  expect(new Set(SOURCE_FIELDS).size).toBe(AVTALE_FIELDS.length + 1);
});

test('every code list codes a field, the one it is named after', () => {
  const coded = AVTALE_FIELDS.filter((name) => FIELDS[name].codes);
  expect(coded).toEqual(Object.keys(CODE_VALUES));
  expect(coded.map((name) => FIELDS[name].codes)).toEqual(Object.values(CODE_VALUES));
});

test('all but what decides whether an avtale is shown can be granted', () => {
  const shown: readonly string[] = GRANTABLE_FIELDS;
  expect(AVTALE_FIELDS.filter((name) => !shown.includes(name))).toEqual(['feilregistrert']);
});

test('every text and number has a limit, and no text is longer than an index can hold', () => {
  for (const name of AVTALE_FIELDS) {
    const { read, maxLength, range } = FIELDS[name];
    expect([name, maxLength !== undefined]).toEqual([name, read === 'text']);
    expect([name, range !== undefined]).toEqual([name, read === 'integer' || read === 'number']);
    // A character may take four bytes. The name of an employer is in no index.
    if (name !== 'bedriftNavn') expect(4 * (maxLength ?? 0) + 16).toBeLessThan(2_704);
  }
});
