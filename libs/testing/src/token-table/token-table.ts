import { createHmac } from 'node:crypto';
import { ON_DUTY_NAV_IDENT, onDuty } from '../token-issuer.ts';
import { AUDIENCES, type Signer, type TwoIssuers } from './two-issuers.ts';

/** In, or the status of the refusal. */
export type Verdict = 'inn' | 400 | 401 | 403;

/** A token, and what it gets: of the query-api, of the adapter API, of the pages of those on duty. */
export interface TokenRow {
  token: string;
  gets: [queryApi: Verdict, adapter: Verdict, drift: Verdict];
  /** the header Authorization */
  header: (issuers: TwoIssuers) => Promise<string>;
}

/** What the apps of the table are set up with, by organisation number. */
export const TABLE_SETUP = {
  /** of the registry, and that the adapter is of */
  consumer: '310100005',
  /** that may ask on its behalf */
  supplier: '310101370',
  /** that is in no registry */
  other: '310102741',
  /** in Entra ID, of the registry */
  azp: 'alt',
  organisasjon: 'nav',
  scopes: { queryApi: 'nav:tiltak/les', adapter: 'nav:tiltak/adapter' },
} as const;

const { consumer, supplier, other, azp, organisasjon, scopes } = TABLE_SETUP;
const BOTH = `${scopes.queryApi} ${scopes.adapter}`;
const AUTHORITY = 'iso6523-actorid-upis';

type Claims = Record<string, unknown>;
const now = (): number => Math.floor(Date.now() / 1_000);
const actor = (number: string, more: Claims = {}): Claims => ({ authority: AUTHORITY, ID: `0192:${number}`, ...more });

/** As each issues them; `more` replaces, and removes what it has as undefined. */
const entraClaims = ({ names }: TwoIssuers, more: Claims = {}): Claims => ({
  ...{ iss: names.entra, aud: AUDIENCES.entra, iat: now(), nbf: now(), exp: now() + 3_600 },
  ...{ azp, sub: azp, oid: azp, idtyp: 'app', roles: ['access_as_application'], ver: '2.0', ...more },
});
const maskinportenClaims = ({ names }: TwoIssuers, more: Claims = {}): Claims => ({
  ...{
    iss: names.maskinporten,
    aud: AUDIENCES.maskinporten,
    iat: now(),
    exp: now() + 119,
    jti: 'x',
    token_type: 'Bearer',
  },
  ...{ client_id: 'kommunens-klient', client_amr: 'private_key_jwt', scope: BOTH, consumer: actor(consumer), ...more },
});

type Row = [token: string, gets: TokenRow['gets'], header: TokenRow['header']];
type Gets = TokenRow['gets'];
const NONE: Gets = [401, 401, 401];
const NOBODY: Gets = [403, 403, 403];
const BOTH_APIS: Gets = ['inn', 'inn', 403];

const bearer = (token: string): string => `Bearer ${token}`;
const entra =
  (more: Claims, by: Signer = 'entra', header?: Claims) =>
  (issuers: TwoIssuers) =>
    issuers.sign(by, entraClaims(issuers, more), header).then(bearer);
const maskinporten =
  (more: Claims, by: Signer = 'maskinporten', header?: Claims) =>
  (issuers: TwoIssuers) =>
    issuers.sign(by, maskinportenClaims(issuers, more), header).then(bearer);
/** JSON with more after the last claim: what stands twice. */
const maskinportenText = (last: (issuers: TwoIssuers) => string) => (issuers: TwoIssuers) =>
  issuers
    .sign('maskinporten', `${JSON.stringify(maskinportenClaims(issuers)).slice(0, -1)},${last(issuers)}}`)
    .then(bearer);
/** Another text around, or in the place of, a right token. */
const around =
  (text: (token: string, issuers: TwoIssuers) => string | Promise<string>) => async (issuers: TwoIssuers) =>
    text(await issuers.sign('maskinporten', maskinportenClaims(issuers)), issuers);

const ADAPTER = { azp: 'adapteren', scope: 'tiltak:adapter', organisasjon };

const RIGHT: Row[] = [
  ['Entra: a registered application', ['inn', 403, 403], entra({})],
  ["Entra: the organisation's adapter", [403, 'inn', 403], entra(ADAPTER)],
  ['Entra: a person on duty', [401, 403, 'inn'], entra({ ...onDuty(ON_DUTY_NAV_IDENT) })],
  [
    'Maskinporten: a registered organisation, scope for reading',
    ['inn', 403, 403],
    maskinporten({ scope: scopes.queryApi }),
  ],
  ['Maskinporten: the same, scope for its adapter', [403, 'inn', 403], maskinporten({ scope: scopes.adapter })],
  ['Maskinporten: both scopes, and one more', BOTH_APIS, maskinporten({ scope: `${BOTH} nav:tiltak/annet` })],
  [
    'Maskinporten: by a supplier that is listed',
    BOTH_APIS,
    maskinporten({ supplier: actor(supplier), delegation_source: 'https://www.altinn.no/' }),
  ],
  [
    'Maskinporten: `aud` is a list with ours',
    BOTH_APIS,
    maskinporten({ aud: ['https://annen.example.no', AUDIENCES.maskinporten] }),
  ],
];

const OF_THE_OTHER: Row[] = [
  [
    'Maskinporten, with all of an application and a person on duty in Entra',
    NOBODY,
    maskinporten({
      azp,
      ...onDuty(),
      idtyp: 'app',
      roles: ['access_as_application', 'drift'],
      groups: ['00000000-0000-4000-8000-0000000000d1'],
      organisasjon,
      scope: 'tiltak:adapter',
    }),
  ],
  [
    'Maskinporten, of an organisation that is not registered, with `azp` of one that is',
    NOBODY,
    maskinporten({ azp, roles: ['access_as_application'], consumer: actor(other) }),
  ],
  ['Maskinporten, with `NAVident` and the role `drift`, as a person', BOTH_APIS, maskinporten({ ...onDuty() })],
  [
    'Entra, with scope, consumer and client of Maskinporten',
    NOBODY,
    entra({ azp: 'ukjent', scope: BOTH, consumer: actor(consumer), client_id: 'x' }),
  ],
  [
    'Entra, registered, with `consumer` and `supplier` besides',
    ['inn', 403, 403],
    entra({ consumer: actor(other), supplier: actor(supplier), scope: BOTH }),
  ],
  ['Entra, with the organisation as `azp`', NONE, entra({ azp: `0192:${consumer}` })],
  [
    "Entra's adapter of another organisation, with the right `consumer`",
    NOBODY,
    entra({ ...ADAPTER, organisasjon: 'demo-fylke', consumer: actor(consumer) }),
  ],
  ['Entra, for the audience at Maskinporten', NONE, entra({ aud: AUDIENCES.maskinporten })],
  ['Maskinporten, for the audience at Entra', NONE, maskinporten({ aud: AUDIENCES.entra })],
  ["`iss` of Entra, signed by Maskinporten's key of the same id", NONE, entra({}, 'maskinporten')],
  ["`iss` of Maskinporten, signed by Entra's key of the same id", NONE, maskinporten({}, 'entra')],
  [
    '`iss` of Maskinporten, all other claims of Entra',
    NONE,
    (issuers) => issuers.sign('maskinporten', entraClaims(issuers, { iss: issuers.names.maskinporten })).then(bearer),
  ],
  [
    '`iss` of Entra, all other claims of Maskinporten',
    NONE,
    (issuers) => issuers.sign('entra', maskinportenClaims(issuers, { iss: issuers.names.entra })).then(bearer),
  ],
];

const SIGNATURES: Row[] = [
  ["signed by a stranger's key of the same id", NONE, maskinporten({}, 'stranger')],
  ['signed by a key that nobody knows', NONE, maskinporten({}, 'stranger', { kid: 'ukjent' })],
  ['`alg` none', NONE, around((token) => bearer(`${withHeader(token, { alg: 'none' })}.`))],
  [
    '`alg` HS256 with the public key as the secret',
    NONE,
    around(async (token, issuers) => {
      const content = withHeader(token, { alg: 'HS256', kid: 'felles' });
      return bearer(
        `${content}.${createHmac('sha256', await issuers.publicKey('maskinporten'))
          .update(content)
          .digest('base64url')}`,
      );
    }),
  ],
  [
    'header `jku` of a stranger, and its key',
    NONE,
    maskinporten({}, 'stranger', { jku: 'https://fremmed.example.no/jwks', kid: 'fremmed' }),
  ],
  [
    'header `x5u` of a stranger, and its key',
    NONE,
    maskinporten({}, 'stranger', { x5u: 'https://fremmed.example.no/kjede.pem' }),
  ],
  [
    'header `jwk` with a key of its own',
    NONE,
    maskinporten({}, 'stranger', { jwk: { kty: 'RSA', n: 'AQAB', e: 'AQAB' } }),
  ],
  [
    'right, and with `jku`, which nobody reads',
    BOTH_APIS,
    maskinporten({}, 'maskinporten', { jku: 'https://fremmed.example.no/jwks' }),
  ],
  [
    'right, and with a `crit` that nobody knows',
    NONE,
    maskinporten({}, 'maskinporten', { crit: ['ukjent'], ukjent: true }),
  ],
  ['without its signature', NONE, around((token) => bearer(`${token.slice(0, token.lastIndexOf('.'))}.`))],
  [
    'the claims of one, the signature of another',
    NONE,
    around(async (token, issuers) => {
      const richer = await issuers.sign('stranger', maskinportenClaims(issuers, { consumer: actor(other) }));
      return bearer(`${richer.slice(0, richer.lastIndexOf('.'))}.${token.slice(token.lastIndexOf('.') + 1)}`);
    }),
  ],
];

const ISSUERS: Row[] = [
  [
    '`iss` without its last slash',
    NONE,
    (issuers) => maskinporten({ iss: issuers.names.maskinporten.slice(0, -1) })(issuers),
  ],
  [
    "`iss` of Entra with a slash more, by Entra's key",
    NONE,
    (issuers) => entra({ iss: `${issuers.names.entra}/` })(issuers),
  ],
  ['`iss` in capitals', NONE, (issuers) => maskinporten({ iss: issuers.names.maskinporten.toUpperCase() })(issuers)],
  ['`iss` as a list of both', NONE, (issuers) => maskinporten({ iss: Object.values(issuers.names) })(issuers)],
  ['no `iss`', NONE, maskinporten({ iss: undefined })],
  ['`iss` of an issuer that nobody knows', NONE, maskinporten({ iss: 'https://test.maskinporten.no/' })],
  ['`iss` twice, the last of Entra', NONE, maskinportenText(({ names }) => `"iss":${JSON.stringify(names.entra)}`)],
  ['no `aud`', NONE, maskinporten({ aud: undefined })],
  ['`aud` of another service', NONE, maskinporten({ aud: 'https://annen.example.no' })],
  ['`aud` unspecified, as without a resource', NONE, maskinporten({ aud: 'unspecified' })],
];

const SCOPES: Row[] = [
  ['no scope', NONE, maskinporten({ scope: undefined })],
  ['empty scope', NONE, maskinporten({ scope: '' })],
  ['scopes as a list', NONE, maskinporten({ scope: [scopes.queryApi, scopes.adapter] })],
  ['scopes with a comma between', NOBODY, maskinporten({ scope: BOTH.replace(' ', ',') })],
  ['scopes with a tab between', NONE, maskinporten({ scope: BOTH.replace(' ', '\t') })],
  ['other scopes of the same prefix', NOBODY, maskinporten({ scope: 'nav:tiltak/annet nav:tiltak' })],
  ['scopes that begin alike', NOBODY, maskinporten({ scope: `${scopes.queryApi}.alt ${scopes.adapter}/x` })],
  ['scopes that end alike', NOBODY, maskinporten({ scope: `x${scopes.queryApi} x${scopes.adapter}` })],
  ['scopes in capitals', NOBODY, maskinporten({ scope: BOTH.toUpperCase() })],
  ['the scope of an adapter in Entra', NOBODY, maskinporten({ scope: 'tiltak:adapter', organisasjon })],
  ['`scope` twice, the last of something else', NOBODY, maskinportenText(() => '"scope":"nav:tiltak/annet"')],
  ['`scopes` and `scp`, in the place of `scope`', NONE, maskinporten({ scope: undefined, scopes: BOTH, scp: BOTH })],
];

const withConsumer = (claim: unknown): Row[2] => maskinporten({ consumer: claim });

const CONSUMERS: Row[] = [
  ['`consumer` of another organisation', NOBODY, withConsumer(actor(other))],
  ['`consumer`: another authority', NONE, withConsumer(actor(consumer, { authority: 'iso6523-actorid' }))],
  ['`consumer`: no authority', NONE, withConsumer({ ID: `0192:${consumer}` })],
  ['`consumer`: prefix 9908', NONE, withConsumer(actor(consumer, { ID: `9908:${consumer}` }))],
  ['`consumer`: no prefix', NONE, withConsumer(actor(consumer, { ID: consumer }))],
  ['`consumer`: spaces around', NONE, withConsumer(actor(consumer, { ID: ` 0192:${consumer} ` }))],
  ['`consumer`: spaces within', NONE, withConsumer(actor(consumer, { ID: '0192:310 100 005' }))],
  ['`consumer`: a line break after', NONE, withConsumer(actor(consumer, { ID: `0192:${consumer}\n` }))],
  ['`consumer`: digits of another script', NONE, withConsumer(actor(consumer, { ID: '0192:３１０１０００0５' }))],
  ['`consumer`: `id` in the place of `ID`', NONE, withConsumer({ authority: AUTHORITY, id: `0192:${consumer}` })],
  ['`consumer`: eight digits', NONE, withConsumer(actor(consumer, { ID: '0192:31010000' }))],
  ['`consumer`: ten digits', NONE, withConsumer(actor(consumer, { ID: `0192:${consumer}0` }))],
  ['`consumer`: a wrong check digit', NONE, withConsumer(actor(consumer, { ID: '0192:310100004' }))],
  ['`consumer`: a number', NONE, withConsumer(actor(consumer, { ID: Number(consumer) }))],
  ['`consumer`: a list of ids', NONE, withConsumer(actor(consumer, { ID: [`0192:${consumer}`] }))],
  ['`consumer`: a list of organisations', NONE, withConsumer([actor(consumer)])],
  ['`consumer`: a text', NONE, withConsumer(`0192:${consumer}`)],
  ['`consumer`: null', NONE, withConsumer(null)],
  ['no `consumer`', NONE, withConsumer(undefined)],
  [
    '`consumer` twice, the last another organisation',
    NOBODY,
    maskinportenText(() => `"consumer":${JSON.stringify(actor(other))}`),
  ],
  ['`consumer` in `__proto__`', NONE, (issuers) => maskinportenProto(issuers)],
  ['a supplier that is not listed', NOBODY, maskinporten({ supplier: actor(other) })],
  [
    'a listed supplier, of a consumer that is not registered',
    NOBODY,
    maskinporten({ consumer: actor(other), supplier: actor(supplier) }),
  ],
  ['the supplier as the consumer', NOBODY, maskinporten({ consumer: actor(supplier) })],
  ['the consumer as its own supplier', NONE, maskinporten({ supplier: actor(consumer) })],
  ['`supplier` null', NONE, maskinporten({ supplier: null })],
  ['`supplier` with a wrong check digit', NONE, maskinporten({ supplier: actor(supplier, { ID: '0192:310101371' }) })],
];

function maskinportenProto(issuers: TwoIssuers): Promise<string> {
  const text = JSON.stringify(maskinportenClaims(issuers, { consumer: undefined }));
  const proto = `"__proto__":{"consumer":${JSON.stringify(actor(consumer))}}`;
  return issuers.sign('maskinporten', `${text.slice(0, -1)},${proto}}`).then(bearer);
}

const at =
  (times: () => Claims): Row[2] =>
  (issuers) =>
    maskinporten(times())(issuers);

const TIMES: Row[] = [
  ['expired', NONE, at(() => ({ iat: now() - 300, exp: now() - 60 }))],
  ['`nbf` in the future', NONE, at(() => ({ nbf: now() + 60 }))],
  ['`iat` in the future', NONE, at(() => ({ iat: now() + 60, exp: now() + 120 }))],
  ['no `iat`', NONE, maskinporten({ iat: undefined })],
  ['no `exp`', NONE, maskinporten({ exp: undefined })],
  ['`exp` as a text', NONE, at(() => ({ exp: String(now() + 100) }))],
  ['valid for longer than a scope can be', NONE, at(() => ({ exp: now() + 3_600 }))],
  ['valid for a year, issued a while ago', NONE, at(() => ({ iat: now() - 86_400, exp: now() + 31_536_000 }))],
  ['`exp` before `iat`', NONE, at(() => ({ iat: now() + 20, exp: now() + 10 }))],
  ['no `client_id`', NONE, maskinporten({ client_id: undefined })],
  ['`client_id` with a slash', NONE, maskinporten({ client_id: `x/0192:${other}` })],
];

const HEADERS: Row[] = [
  ['`bearer` in lower case', BOTH_APIS, around((token) => `bearer ${token}`)],
  ['two tokens in a header', NONE, around((token) => `Bearer ${token} ${token}`)],
  [
    'two headers in one, Entra last',
    NONE,
    around(async (token, issuers) => `Bearer ${token}, Bearer ${await issuers.sign('entra', entraClaims(issuers))}`),
  ],
  ['`Basic` in the place of `Bearer`', NONE, around((token) => `Basic ${token}`)],
  ['`DPoP` in the place of `Bearer`', NONE, around((token) => `DPoP ${token}`)],
  ['five parts, as one that is encrypted', NONE, around((token) => bearer(`${token}.x.y`))],
  ['no JSON', NONE, (issuers) => issuers.sign('maskinporten', 'ikke json').then(bearer)],
  ['a list in the place of claims', NONE, (issuers) => issuers.sign('maskinporten', '[]').then(bearer)],
];

const withHeader = (token: string, header: Claims): string =>
  `${Buffer.from(JSON.stringify(header)).toString('base64url')}.${token.split('.')[1] ?? ''}`;

/** Which token gets what, of an app that takes both issuers; what `docs/tokens.md` shows. */
export const TOKEN_TABLE: readonly TokenRow[] = [
  ...RIGHT,
  ...OF_THE_OTHER,
  ...SIGNATURES,
  ...ISSUERS,
  ...SCOPES,
  ...CONSUMERS,
  ...TIMES,
  ...HEADERS,
].map(([token, gets, header]) => ({ token, gets, header }));
