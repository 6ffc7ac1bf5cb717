import { ValidationPipe, type ArgumentMetadata, type ValidationError } from '@nestjs/common';
import { skjul } from '../logg.ts';
import { fellesFeil, Problem, type Feltfeil } from '../problem.ts';

/** Nest takes `null` and no body at all for an object without properties. */
class Validering extends ValidationPipe {
  override transform(verdi: unknown, metadata: ArgumentMetadata): Promise<unknown> {
    const erObjekt = typeof verdi === 'object' && verdi !== null && !Array.isArray(verdi);
    if (metadata.type === 'body' && !erObjekt) throw ugyldig([{ felt: 'body', melding: 'must be a JSON object' }]);
    return super.transform(verdi, metadata);
  }
}

/** Bodies and parameters against their DTO: unknown properties are refused, and all that is wrong is told at once. */
export function valideringPipe(): ValidationPipe {
  return new Validering({
    transform: true,
    whitelist: true,
    forbidNonWhitelisted: true,
    forbidUnknownValues: true,
    validationError: { target: false, value: false },
    exceptionFactory: (feil) => ugyldig(feil.flatMap((del) => feltfeil(del))),
  });
}

export function ugyldig(feil: Feltfeil[]): Problem {
  return new Problem(fellesFeil.UGYLDIG_FORESPORSEL, 'The request is not valid', { feil });
}

function feltfeil({ property, constraints = {}, children = [] }: ValidationError, forelder = ''): Feltfeil[] {
  // A property is the caller's own text when it is unknown.
  const navn = skjul(property.slice(0, 100));
  const felt = forelder === '' ? navn : /^\d+$/.test(property) ? `${forelder}[${navn}]` : `${forelder}.${navn}`;
  const egne = Object.entries(constraints).map(([krav, melding]) => ({
    felt,
    melding: krav === 'whitelistValidation' ? 'is not a known property' : skjul(uten(property, melding)),
  }));
  return [...egne, ...children.flatMap((barn) => feltfeil(barn, felt))];
}

/** class-validator begins its sentences with the property, which `felt` says already. */
function uten(property: string, melding: string): string {
  return melding.startsWith(`${property} `) ? melding.slice(property.length + 1) : melding;
}

/** Deeper than any request is; what walks through it later may be recursive. */
const MAKS_DYBDE = 32;

/**
 * What validation would not see: depth, and a property that class-transformer leaves out in silence. (`__proto__` is
 * refused by the parser.)
 * @throws Problem 400
 */
export function avvisFarlig(body: unknown): void {
  let lag = [body].filter(erObjekt);
  for (let dybde = 1; lag.length > 0; dybde++) {
    if (dybde > MAKS_DYBDE) throw ugyldig([{ felt: 'body', melding: `is nested deeper than ${String(MAKS_DYBDE)}` }]);
    if (lag.some((del) => Object.hasOwn(del, 'constructor'))) {
      throw ugyldig([{ felt: 'constructor', melding: 'is not a known property' }]);
    }
    lag = lag.flatMap((del) => Object.values(del).filter(erObjekt));
  }
}

function erObjekt(verdi: unknown): verdi is object {
  return typeof verdi === 'object' && verdi !== null;
}
