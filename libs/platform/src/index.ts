export type { Token } from './auth.ts';
export {
  database,
  entra,
  felles,
  filsti,
  heltall,
  Konfigurasjonsfeil,
  lesKonfigurasjon,
  liste,
  port,
  somMarkdown,
  tekst,
  url,
  valgAv,
  type Konfigurasjon,
  type Variabel,
} from './config.ts';
export { maalForbindelser } from './forbindelser.ts';
export { startHttp, type Http, type Httpvalg } from './http/http.ts';
export { ProblemDto } from './http/problem.dto.ts';
export { kjorApp, type Stopp } from './kjor.ts';
export { Oppstartsfeil } from './oppstartsfeil.ts';
export { kontekst, settKonsument, type Kontekst } from './kontekst.ts';
export { logg, skjul } from './logg.ts';
export { fellesFeil, Problem, type Feilkode, type Feltfeil } from './problem.ts';
