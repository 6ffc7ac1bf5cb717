import { readFileSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * Norwegian for what all software has. In the names of the code these are English, so that a stranger can read it; words
 * of the domain (docs/glossary.md) are not here, and what is published keeps its name.
 */
const NORWEGIAN = new Set(
  `aarsak alder alle andre annen antall apne argumenter avslag avslutt avsluttet avspilling avspillinger avtrykk avvik
  avvist avvisning barn begynn behandle behandlet bekreft bekreftet beskjaer beskjaering besvar bolk bolker borte bruker
  bygg bygging deler differanse differanser drift eier ekstra eksport eksporter eldste endre endret endring endringer
  enhet etter etterslep faa fasit feil felles felt felter ferdig fersk ferske ferskhet fikk fil filer finn finnes fjern
  flere flett flytt foer foerste foelg foresporsel forespoersel forbigaaende forbindelse forbindelser forbruk forfalt
  forkast forrige forsok forsoek forsoekt fortsatt framdrift frist frister fullfoer fullfoert gaa gammel gamle gift
  gjelder gjenoppbygging gjor grense grenser gyldig handling handlinger hendelse hendelser hent hente hjelp hjerteslag
  hode hoder hold hva hvem hvorfor husk igjen ikke innhold innlesning innslag instans intervall jobb jobber kall kilde
  kilden kilder kjent kjente kjor kjoer klar klargjor klient klienter kode koder koe kolonne kolonner konfig konflikt
  konsum kontroll kontroller kopier kontekst kontrakt krav krev krever kroker kropp kvote laas laaser laert lag lagre
  lagret lagt ledd ledig legg lengde lenke lenker les lese lesing leser lest liste lister linje linjer lopenr lukk maal
  maaler maaling maks mangler manglende markoer maskering mellomrom melding meldinger metrikk metrikker miljo modul
  mottak mottatt mottatte motta naa navn nedstenging neste noekkel noekler nokkel nokler noter nummer ny nye nytt
  omgivelser operasjon operasjoner oppdater oppdatert opprett opprettet oppslag oppsett oversett pakke pakker parker
  parkert parkerte partisjon partisjoner planlegg plass posisjon posisjoner prov proev publisering publiser rad rader
  rapport rapporter rekkefolge relasjon relasjoner respons ressurs ressurser rett retting rettet rolle roller rot runde
  runder rute ruter samle sammenlign samtidig samtidige sekund sekunder sett sikre side sider sist siste sjekk skall
  skjema skjul skjult skjuling skriv skrive skriver skrevet slett sletting slettet slipp slutt sok soek spill spilt
  sporring spoerring sporringer stans stanset startet sted steder stopp stoppet storrelse stoerrelse strom stroem svar
  svaret synk synker synlig taushet tegn tekst tekster telling tidspunkter tilgang tilstand tilstander tillat tolk topp
  treff trinn tving ubrukelig uendret ugyldig ukjente uleselig ulest utfall utfor utfoer utgave utsteder utvalg vakt valg
  vedlikehold vekt velg vent venter ventetid verdi verdier versjon versjoner vert vindu vinner vis vist`.split(/\s+/),
);

const ROOT = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const MIGRATIONS = 'libs/database/src/migrations';
const SOURCE_EVENTS = 'libs/simulator/src/data/avtale-events.jsonl';
const PUBLISHED_IN = [
  'apps/ingestor/openapi.json',
  'apps/query-api/openapi.json',
  'sandbox/openapi.json',
  'apps/query-api/src/access/konsumenter.schema.json',
  'apps/query-api/src/analysis/analyse.schema.json',
  'apps/query-api/src/insight/innsyn.schema.json',
  ...readdirSync(join(ROOT, MIGRATIONS)).map((name) => `${MIGRATIONS}/${name}`),
];

/** Options of commands, members of what they print, and of answers that no document describes. */
const PUBLISHED_ELSEWHERE = `ukjenteMaaneder hentInnsyn fil filer skjemaversjon avtaleNoekkel ny_kolonne bekreft mangler avvik overfloedige avslag brukteFelter ubrukteFelter ubrukteOperasjoner
  hva`;

/** What has one of these names may be a member of JSON or a column: each word of what is published, and of the source. */
const PUBLISHED = new Set([
  ...PUBLISHED_IN.flatMap((file) => read(file).match(/\w+/g) ?? []).flatMap((word) => [word, camelCase(word)]),
  ...Array.from(read(SOURCE_EVENTS).matchAll(/"([\p{L}\d]+)":/gu), ([, member]) => member),
  ...PUBLISHED_ELSEWHERE.split(/\s+/),
]);

/** The domain's own names with a word of the list in them; a variable may have one, also as a part of its name. */
const DOMAIN_NAMES = new RegExp(
  Object.keys(JSON.parse(read('apps/query-api/openapi.json')).components.schemas.Avtale.properties)
    .filter((name) => /\p{Lu}/u.test(name))
    .concat('versjon', 'dataOppdatert', 'hendelseType', 'innholdType', 'mentorAntallTimer', 'enhet')
    .sort((a, b) => b.length - a.length)
    .join('|'),
  'gi',
);

function read(file) {
  return readFileSync(join(ROOT, file), 'utf8');
}

function camelCase(word) {
  return word.replace(/_([a-z])/g, (_, letter) => letter.toUpperCase());
}

function norwegianIn(name) {
  const words = name.replace(DOMAIN_NAMES, ' ').replace(/([\p{Ll}\d])(\p{Lu})/gu, '$1 $2');
  return words.split(/[ _\d]+/).filter((word) => NORWEGIAN.has(word.toLowerCase()));
}

/** A class of the document, and its members; or a function that makes one. */
const ofDto = (name) => name.endsWith('Dto');

/** `const { antall } = page`: the variable has the name of the member, and an alias would only be noise. */
function isShorthand({ parent }) {
  const property = parent.type === 'AssignmentPattern' ? parent.parent : parent;
  return property.type === 'Property' && property.shorthand;
}

export const englishNames = {
  meta: {
    type: 'suggestion',
    schema: [],
    messages: { norwegian: '{{name}}: {{words}} is a Norwegian word for something of software.' },
  },
  create(context) {
    const check = (node) => {
      const words = norwegianIn(node.name);
      if (words.length === 0 || ofDto(node.name)) return;
      context.report({ node, messageId: 'norwegian', data: { name: node.name, words: words.join(', ') } });
    };
    const checkMember = ({ key, computed, parent }) => {
      if (key?.type !== 'Identifier' || computed || PUBLISHED.has(key.name)) return;
      if (!ofDto(parent.parent.id?.name ?? '')) check(key);
    };
    const checkVariable = ({ defs: [definition] }) => {
      // What is imported is named where it is declared.
      if (!definition || definition.type === 'ImportBinding') return;
      if (!isShorthand(definition.name) || !PUBLISHED.has(definition.name.name)) check(definition.name);
    };
    return {
      'Program:exit'() {
        // Inside a class, its name is a variable once more.
        const scopes = context.sourceCode.scopeManager.scopes.filter(({ type }) => type !== 'class');
        for (const { variables } of scopes) variables.forEach(checkVariable);
      },
      // The keys of an object are those of its type, or of what it is published as.
      TSPropertySignature: checkMember,
      TSMethodSignature: checkMember,
      PropertyDefinition: checkMember,
      MethodDefinition: checkMember,
    };
  },
};
