import { API_VERSION } from '@tiltak/platform';

/** Nav in Enhetsregisteret. */
const PUBLISHER = 'https://data.brreg.no/enhetsregisteret/api/enheter/889640782';
const THEMES = 'http://publications.europa.eu/resource/authority/data-theme';
const MEDIA_TYPES = 'https://www.iana.org/assignments/media-types';

/** In both languages of the service: the words of the domain are Norwegian. */
const both = (nb: string, en: string): string => `${JSON.stringify(nb)}@nb, ${JSON.stringify(en)}@en`;

/**
 * The service and what it serves, by DCAT-AP-NO: what a national or an internal catalogue of data harvests. Addresses are
 * relative to the document's own, which is where the service is.
 */
export function dcatApNo(): string {
  return [PREFIXES, datasets(), distributions(), service()].join('\n');
}

const PREFIXES = `# Made by npm run openapi. DCAT-AP-NO: https://data.norge.no/specification/dcat-ap-no
@prefix dcat: <http://www.w3.org/ns/dcat#> .
@prefix dct: <http://purl.org/dc/terms/> .
@prefix foaf: <http://xmlns.com/foaf/0.1/> .
@prefix owl: <http://www.w3.org/2002/07/owl#> .
@prefix vcard: <http://www.w3.org/2006/vcard/ns#> .
@prefix xsd: <http://www.w3.org/2001/XMLSchema#> .
`;

function datasets(): string {
  return `<#katalog> a dcat:Catalog ;
  dct:title ${both('Katalog for tiltak-datadeling', 'Catalogue of tiltak-datadeling')} ;
  dct:description ${both('Hva tiltak-datadeling deler, og hvordan.', 'What tiltak-datadeling shares, and how.')} ;
  dct:identifier "no.nav.tiltak.datadeling.katalog" ;
  dct:publisher <${PUBLISHER}> ;
  dcat:contactPoint <#kontakt> ;
  dct:language <http://publications.europa.eu/resource/authority/language/NOB>, <http://publications.europa.eu/resource/authority/language/ENG> ;
  dcat:dataset <#avtaler> ;
  dcat:service <#tjeneste>, <#hendelser> .

<#avtaler> a dcat:Dataset ;
  dct:title ${both('Avtaler om arbeidsmarkedstiltak', 'Avtaler about labour-market measures')} ;
  dct:description ${both(
    'Et redusert bilde av avtaler om arbeidsmarkedstiltak mellom deltaker, arbeidsgiver og Nav, holdt oppdatert fra kilden. Gjelder personer.',
    'A reduced copy of avtaler about labour-market measures between a participant, an employer and Nav, kept up to date from the source. About persons.',
  )} ;
  dct:identifier "no.nav.tiltak.datadeling.avtaler" ;
  dct:publisher <${PUBLISHER}> ;
  dcat:contactPoint <#kontakt> ;
  dcat:theme <${THEMES}/SOCI>, <${THEMES}/GOVE> ;
  dct:accessRights <http://publications.europa.eu/resource/authority/access-right/NON_PUBLIC> ;
  dct:accrualPeriodicity <http://publications.europa.eu/resource/authority/frequency/UPDATE_CONT> ;
  dct:language <http://publications.europa.eu/resource/authority/language/NOB> ;
  dct:spatial <https://data.geonorge.no/administrativeEnheter/nasjon/id/173163> ;
  dcat:keyword "arbeidsmarkedstiltak"@nb, "avtale"@nb, "tiltak"@nb, "labour-market measures"@en ;
  foaf:page </katalog> ;
  dcat:distribution <#json>, <#abonnement>, <#ndjson>, <#endringshendelser> .
`;
}

function distributions(): string {
  return `<#json> a dcat:Distribution ;
  dct:title ${both('Oppslag og endringer, som JSON', 'Look-ups and changes, as JSON')} ;
  dcat:accessURL </swagger> ;
  dcat:accessService <#tjeneste> ;
  dcat:mediaType <${MEDIA_TYPES}/application/json> ;
  dct:conformsTo <#datakontrakt> .

<#abonnement> a dcat:Distribution ;
  dct:title ${both('Endringer i noen avtaler (abonnement), som JSON', 'Changes of some avtaler (abonnement), as JSON')} ;
  dct:description ${both(
    'Endringene av avtalene til noen personer eller arbeidsgivere, eller av noen typer, med det de sier.',
    'The changes of the avtaler of some persons or employers, or of some kinds, with what they say.',
  )} ;
  dcat:accessURL </dokumentasjon/konsumenter#following-some-of-them> ;
  dcat:accessService <#tjeneste> ;
  dcat:mediaType <${MEDIA_TYPES}/application/json> ;
  dct:conformsTo <#datakontrakt> .

<#ndjson> a dcat:Distribution ;
  dct:title ${both('Alt på en gang, som NDJSON', 'Everything at once, as NDJSON')} ;
  dcat:accessURL </api/v1/eksport> ;
  dcat:accessService <#tjeneste> ;
  dcat:mediaType <${MEDIA_TYPES}/application/x-ndjson> ;
  dct:conformsTo <#datakontrakt> .

<#endringshendelser> a dcat:Distribution ;
  dct:title ${both('At noe er endret, som CloudEvents på Kafka', 'That something changed, as CloudEvents on Kafka')} ;
  dct:description ${both(
    'Hvilken avtale og hvor i endringene, uten innhold. Der organisasjonen har et slikt topic.',
    'Which avtale and where in the changes, without content. Where the organisation has such a topic.',
  )} ;
  dcat:accessURL </dokumentasjon/konsumenter#being-told-by-kafka> ;
  dcat:accessService <#hendelser> ;
  dcat:mediaType <${MEDIA_TYPES}/application/cloudevents+json> ;
  dct:conformsTo <#hendelseskontrakt> .
`;
}

function service(): string {
  return `<#tjeneste> a dcat:DataService ;
  dct:title ${both('tiltak-datadeling', 'tiltak-datadeling')} ;
  dct:description ${both(
    'Er denne personen på tiltak, hvilke, hvor mange og hvor lenge? Svarer over REST, med tilgang per formål, operasjon og felt.',
    'Is this person on a measure, which, how many, for how long? Answers over REST, with access by purpose, operation and field.',
  )} ;
  dct:identifier "no.nav.tiltak.datadeling" ;
  dct:publisher <${PUBLISHER}> ;
  dcat:contactPoint <#kontakt> ;
  dcat:theme <${THEMES}/SOCI> ;
  dcat:endpointURL </api/v1> ;
  dcat:endpointDescription </openapi.json> ;
  dct:accessRights <http://publications.europa.eu/resource/authority/access-right/NON_PUBLIC> ;
  dct:conformsTo <https://spec.openapis.org/oas/v3.1.0> ;
  dcat:servesDataset <#avtaler> ;
  dcat:landingPage </> ;
  owl:versionInfo "${API_VERSION}" .

<#hendelser> a dcat:DataService ;
  dct:title ${both('tiltak-datadeling på Kafka', 'tiltak-datadeling on Kafka')} ;
  dct:description ${both(
    'Et topic for hver organisasjon som har det, med en hendelse for hver endring. Lesetilgang gis til dem som har hentEndringer uten utvalg.',
    'A topic for each organisation that has it, with an event for each change. Read access is given to those who have hentEndringer without utvalg.',
  )} ;
  dct:identifier "no.nav.tiltak.datadeling.hendelser" ;
  dct:publisher <${PUBLISHER}> ;
  dcat:contactPoint <#kontakt> ;
  dcat:theme <${THEMES}/SOCI> ;
  dcat:endpointURL </dokumentasjon/konsumenter#being-told-by-kafka> ;
  dcat:endpointDescription </katalog/asyncapi.yaml> ;
  dct:accessRights <http://publications.europa.eu/resource/authority/access-right/NON_PUBLIC> ;
  dct:conformsTo <#hendelseskontrakt> ;
  dcat:servesDataset <#avtaler> ;
  owl:versionInfo "${API_VERSION}" .

<#hendelseskontrakt> a dct:Standard ;
  dct:title ${both('AsyncAPI-dokument for topicene', 'AsyncAPI document of the topics')} ;
  dct:source </katalog/asyncapi.yaml> ;
  owl:versionInfo "${API_VERSION}" .

<#datakontrakt> a dct:Standard ;
  dct:title ${both('Datakontrakt for avtaler', 'Data contract of avtaler')} ;
  dct:source </katalog/datakontrakt.yaml> ;
  owl:versionInfo "${API_VERSION}" .

<#kontakt> a vcard:Organization ;
  vcard:fn "Team tiltak, Nav"@nb ;
  vcard:hasURL </> .

<${PUBLISHER}> a foaf:Agent ;
  foaf:name "Arbeids- og velferdsetaten (Nav)"@nb ;
  dct:identifier "889640782" ;
  dct:type <http://purl.org/adms/publishertype/NationalAuthority> .
`;
}
