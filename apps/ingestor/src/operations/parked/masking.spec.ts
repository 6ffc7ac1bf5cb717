import { FIELDS, SOURCE_FIELDS } from '@tiltak/avtale';
import { maskMessage } from './masking.ts';

const HIDDEN = '•••';

function masked(message: Record<string, unknown>): Record<string, unknown> {
  return JSON.parse(maskMessage(Buffer.from(JSON.stringify(message))) ?? '') as Record<string, unknown>;
}

test('of the fields that are read, those that tell who somebody is are hidden', () => {
  const message = Object.fromEntries(SOURCE_FIELDS.map((name) => [name, 'x']));
  const hidden = Object.entries(masked(message)).flatMap(([name, value]) => (value === HIDDEN ? name : []));
  expect(hidden).toEqual([
    'deltakerFnr',
    'bedriftNavn',
    'veilederNavIdent',
    'godkjentAvNavIdent',
    'godkjentAvBeslutterNavIdent',
  ]);
  expect(Object.values(FIELDS).filter(({ about }) => about === 'person')).toHaveLength(hidden.length);
});

test.each([['a text'], [1], [true], [false], [['a']], [{ a: 1 }]])(
  'a field that the table does not know is hidden: %p',
  (value) => expect(masked({ harFamilietilknytning: value })).toEqual({ harFamilietilknytning: HIDDEN }),
);

test('what the message does is shown, and that a field is empty', () => {
  const message = { hendelseType: 'ENDRET', slettemerket: true, avtaleNr: 7, deltakerFnr: null };
  expect(masked(message)).toEqual(message);
});

test('an open field shows no object, no long text and no national ident', () => {
  expect(masked({ tiltakstype: { a: 1 }, opphav: 'x'.repeat(61), bedriftNr: '0'.repeat(11) })).toEqual({
    tiltakstype: HIDDEN,
    opphav: HIDDEN,
    bedriftNr: '***********',
  });
});
