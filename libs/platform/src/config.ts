import { statSync } from 'node:fs';

/** One environment variable: how it is read, what it means, what it is when absent. */
export interface Variabel<T> {
  beskrivelse: string;
  forventet: string;
  standard: T | undefined;
  valgfri: boolean;
  /** undefined when the text can't be read as this variable */
  les: (tekst: string) => T | undefined;
}

type Skjema = Record<string, Variabel<unknown>>;

/** The values of a schema, by the names of its variables. */
export type Konfigurasjon<S extends Skjema> = { [N in keyof S]: S[N] extends Variabel<infer T> ? T : never };

interface Valg<T> {
  beskrivelse: string;
  standard?: T;
}

type Valgfri = { valgfri: true };

/** One line for each variable that is missing or wrong; never a value. */
export class Konfigurasjonsfeil extends Error {
  readonly feil: string[];

  constructor(feil: string[]) {
    super(feil.join('\n'));
    this.feil = feil;
  }
}

/** @throws Konfigurasjonsfeil naming every variable that is missing or wrong */
export function lesKonfigurasjon<S extends Skjema>(skjema: S, env: NodeJS.ProcessEnv): Konfigurasjon<S> {
  const feil: string[] = [];
  const verdier = Object.entries(skjema).map(([navn, variabel]) => {
    const tekst = env[navn];
    // An empty variable is how many platforms say «not set».
    if (tekst === undefined || tekst === '') {
      if (variabel.standard === undefined && !variabel.valgfri)
        feil.push(`${navn} is missing: ${variabel.beskrivelse}`);
      return [navn, variabel.standard];
    }
    const verdi = variabel.les(tekst);
    if (verdi === undefined) feil.push(`${navn} must be ${variabel.forventet}: ${variabel.beskrivelse}`);
    return [navn, verdi];
  });
  if (feil.length > 0) throw new Konfigurasjonsfeil(feil);
  return Object.fromEntries(verdier) as Konfigurasjon<S>;
}

/** The variables of a schema as a table in Markdown, for the documentation of an app. */
export function somMarkdown(skjema: Skjema): string {
  const rader = Object.entries(skjema).map(([navn, { beskrivelse, forventet, standard, valgfri }]) => {
    const mangler = standard === undefined ? (valgfri ? 'optional' : '**required**') : `\`${String(standard)}\``;
    return [`\`${navn}\``, beskrivelse, forventet, mangler].map((celle) => celle.replaceAll('|', '\\|'));
  });
  return [['Variable', 'Meaning', 'Value', 'Default'], Array.from({ length: 4 }, () => '---'), ...rader]
    .map((celler) => `| ${celler.join(' | ')} |\n`)
    .join('');
}

function variabel<T>(valg: Valg<T> & Partial<Valgfri>, forventet: string, les: Variabel<T>['les']): Variabel<T> {
  return { beskrivelse: valg.beskrivelse, forventet, standard: valg.standard, valgfri: valg.valgfri ?? false, les };
}

type Tekstvalg = Valg<string> & { monster?: RegExp };

export function tekst(valg: Tekstvalg & Valgfri): Variabel<string | undefined>;
export function tekst(valg: Tekstvalg): Variabel<string>;
export function tekst(valg: Tekstvalg & Partial<Valgfri>): Variabel<string> {
  const { monster } = valg;
  const forventet = monster ? `text like ${monster.source}` : 'text';
  return variabel(valg, forventet, (verdi) => (monster && !monster.test(verdi) ? undefined : verdi));
}

export function filsti(valg: Valg<string> & Valgfri): Variabel<string | undefined>;
export function filsti(valg: Valg<string>): Variabel<string>;
export function filsti(valg: Valg<string> & Partial<Valgfri>): Variabel<string> {
  return variabel(valg, 'the path of a file that exists', (verdi) =>
    statSync(verdi, { throwIfNoEntry: false })?.isFile() ? verdi : undefined,
  );
}

export function heltall(valg: Valg<number> & { min?: number; max?: number }): Variabel<number> {
  const { min = 0, max = Number.MAX_SAFE_INTEGER } = valg;
  return variabel(valg, `a whole number from ${String(min)} to ${String(max)}`, (verdi) => {
    const tall = /^\d{1,15}$/.test(verdi) ? Number(verdi) : Number.NaN;
    return tall >= min && tall <= max ? tall : undefined;
  });
}

export function port(valg: Valg<number>): Variabel<number> {
  return heltall({ ...valg, min: 0, max: 65_535 });
}

export function url(valg: Valg<string>): Variabel<string> {
  return variabel(valg, 'a URL, http or https', (verdi) =>
    URL.canParse(verdi) && /^https?:/.test(verdi) ? verdi : undefined,
  );
}

export function valgAv<const T extends string>(verdier: readonly T[], valg: Valg<NoInfer<T>>): Variabel<T> {
  return variabel<T>(valg, `one of ${verdier.join(', ')}`, (tekst) => verdier.find((verdi) => verdi === tekst));
}

/** Separated by commas. */
export function liste(valg: Valg<string[]>): Variabel<string[]> {
  return variabel(valg, 'a list separated by commas', (verdi) => {
    const deler = verdi.split(',').map((del) => del.trim());
    return deler.every((del) => del !== '') ? deler : undefined;
  });
}

/** What every app reads. */
export const felles = {
  ORGANISASJON: tekst({
    beskrivelse: 'The one organisation that this process serves',
    monster: /^[a-z][a-z0-9-]{0,30}$/,
  }),
  HOST: tekst({ beskrivelse: 'Address to listen on', standard: '0.0.0.0' }),
  PORT: port({ beskrivelse: 'Port to listen on', standard: 8080 }),
  LOG_LEVEL: valgAv(['fatal', 'error', 'warn', 'info', 'debug'], {
    beskrivelse: 'Least serious level that is logged',
    standard: 'info',
  }),
  NEDSTENGING_VENTETID_MS: heltall({
    beskrivelse: 'How long to answer on after SIGTERM, until the platform sends no more requests, ms',
    standard: 3_000,
    max: 15_000,
  }),
};

export const database = {
  DB_HOST: tekst({ beskrivelse: 'Host of Postgres' }),
  DB_PORT: port({ beskrivelse: 'Port of Postgres', standard: 5432 }),
  DB_DATABASE: tekst({ beskrivelse: "The organisation's database" }),
  DB_USERNAME: tekst({ beskrivelse: 'Database user of this app' }),
  DB_PASSWORD: tekst({ beskrivelse: 'Its password' }),
  DB_SSLMODE: valgAv(['disable', 'require', 'verify-ca', 'verify-full'], {
    beskrivelse: 'TLS to Postgres',
    standard: 'disable',
  }),
  DB_SSLROOTCERT: filsti({ beskrivelse: 'Certificate authority of Postgres', valgfri: true }),
  DB_SSLCERT: filsti({ beskrivelse: 'Client certificate', valgfri: true }),
  DB_SSLKEY: filsti({ beskrivelse: 'Key of the client certificate', valgfri: true }),
  DB_POOL_SIZE: heltall({ beskrivelse: 'Connections to Postgres', standard: 10, min: 2, max: 100 }),
};

export const entra = {
  AZURE_APP_CLIENT_ID: tekst({ beskrivelse: 'Client id of this app, the audience of tokens' }),
  AZURE_OPENID_CONFIG_ISSUER: url({ beskrivelse: 'Issuer of tokens' }),
  AZURE_OPENID_CONFIG_JWKS_URI: url({ beskrivelse: 'Where the keys of the issuer are' }),
};
