import type { Bar } from '@tiltak/platform';

/** At the top of every page. Those that are files have it too, as the build has that lays the documents. */
export const BAR: Bar = [
  ['/', 'Forsiden'],
  ['/katalog', 'Katalog'],
  ['/swagger', 'Swagger UI'],
  ['/dokumentasjon/konsumenter', 'Dokumentasjon'],
  ['/dokumentasjon/endringslogg', 'Endringslogg'],
];
