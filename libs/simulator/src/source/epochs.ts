import { dayNumber } from './clock.ts';

/** The days on which the source changed its ways (source contract, 1.3, 1.4, 2.4, 3.4 and 3.5). */
export const epoch = {
  /** the key `opphav` is written */
  opphav: dayNumber('2024-11-06'),
  /** the key `forkortetGrunn` is written */
  forkortetGrunn: dayNumber('2024-11-12'),
  /** antallDagerPerUke is wrongly null in every message, until `decimalPercent` */
  daysMissing: dayNumber('2024-12-13'),
  /** stillingprosent has decimals; before that it was rounded */
  decimalPercent: dayNumber('2025-01-28'),
  /** nothing is `slettemerket` any more, and no status is AVBRUTT */
  feilregistrert: dayNumber('2025-08-20'),
  /** utførtAv no longer names the employer's representative, and calls the system System */
  utfoertAv: dayNumber('2025-08-22'),
  /** STATUSENDRING has a fresh sistEndret, not the old one */
  freshAtStatusendring: dayNumber('2026-02-10'),
  /** what does not exist yet: an unknown tiltakstype, hendelseType and field */
  unknownValues: dayNumber('2026-05-01'),
} as const;

/** All avtaler are resent, as they were when the run began. */
export const MASS_RESENDS: ReadonlySet<number> = new Set(['2025-02-10', '2025-09-08', '2026-04-13'].map(dayNumber));

/** The simulated time: about two years, over all of the above. */
export const BEGINNING = dayNumber('2024-06-03');
export const END = dayNumber('2026-08-20');
