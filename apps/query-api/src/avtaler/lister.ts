import { ArrayMaxSize, ArrayMinSize, IsArray, registerDecorator } from 'class-validator';

const IDENT = /^\d{11}$/;
export const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/**
 * A list of national idents: eleven digits, also with a wrong check digit, since such exist at the source. A bad one
 * is named by its position, never by its value.
 */
export function ErPersonidenter(): PropertyDecorator {
  return ErListeAv('personidenter', 'must be eleven digits', (verdi) => IDENT.test(verdi));
}

export function ErBedriftsnumre(): PropertyDecorator {
  return ErListeAv('bedriftsnumre', 'must be nine digits', (verdi) => /^\d{9}$/.test(verdi));
}

export function ErAvtaleIder(): PropertyDecorator {
  return ErListeAv('avtaleIder', 'must be a UUID', (verdi) => UUID.test(verdi));
}

function ErListeAv(navn: string, krav: string, gyldig: (verdi: string) => boolean): PropertyDecorator {
  const ugyldige = (liste: unknown): number[] =>
    Array.isArray(liste)
      ? liste.flatMap((verdi: unknown, i) => (typeof verdi === 'string' && gyldig(verdi) ? [] : [i]))
      : [];
  const oppfoerElement: PropertyDecorator = (klasse, egenskap) => {
    registerDecorator({
      name: navn,
      target: klasse.constructor,
      propertyName: String(egenskap),
      validator: {
        validate: (liste: unknown) => ugyldige(liste).length === 0,
        defaultMessage: (argumenter) => {
          const posisjoner = ugyldige(argumenter?.value);
          const flere = posisjoner.length > 10 ? ` and ${String(posisjoner.length - 10)} more` : '';
          return `${krav}; not so at position ${posisjoner.slice(0, 10).join(', ')}${flere} (the first is 0)`;
        },
      },
    });
  };
  return (klasse, egenskap) => {
    for (const krav of [IsArray(), ArrayMinSize(1), ArrayMaxSize(1_000), oppfoerElement]) krav(klasse, egenskap);
  };
}
