import { join } from 'node:path';
import { createRemoteJWKSet, decodeJwt, jwtVerify } from 'jose';
import { runProgram, freePort, ON_DUTY_NAV_IDENT, ROOT, startTokenIssuer } from '@tiltak/testing';
import {
  fetchAuditorToken,
  fetchMaskinportenToken,
  fetchToken,
  fetchTokenOnDuty,
  readLocalKonsumenter,
} from './token.ts';

test('the local registry has a consumer that may do all, and one that may do little', () => {
  expect(readLocalKonsumenter().map(({ navn: name }) => name)).toEqual(expect.arrayContaining(['alt', 'smal']));
});

test('a token is for the consumer that it was asked for', async () => {
  const issuer = await startTokenIssuer({ port: 0, audience: 'tiltak-datadeling' });
  try {
    expect(decodeJwt(await fetchToken(issuer.issuer, 'en-klient'))).toMatchObject({
      iss: issuer.issuer,
      aud: 'tiltak-datadeling',
      azp: 'en-klient',
    });
  } finally {
    await issuer.stop();
  }
});

test('a stack that is gone is said in a sentence', async () => {
  await expect(fetchToken(`http://127.0.0.1:${String(await freePort())}`, 'en-klient')).rejects.toThrow(
    'The local stack is not running: start it with npm start.',
  );
});

test.each([
  [[], /^Usage: npm run token -- <konsument>.*, where konsument is one of: .*\balt\b.*\bsmal\b.*\.\n$/],
  [['ukjent'], /^There is no consumer ukjent in tools\/local\/konsumenter\.yaml, only: .*\balt\b.*\.\n$/],
])('npm run token with %j says in one sentence who is known', async (args, said) => {
  const script = join(ROOT, 'tools', 'local', 'token.ts');
  const env = { ...process.env, NODE_OPTIONS: '' };
  expect(await runProgram(process.execPath, [script, ...args], { env })).toEqual({
    code: 1,
    printout: expect.stringMatching(said),
  });
});

test('a token for somebody on duty is of a person, with the role', async () => {
  const issuer = await startTokenIssuer({ port: 0, audience: 'tiltak-datadeling' });
  try {
    const token = decodeJwt(await fetchTokenOnDuty(issuer.issuer, 'ingestor-nav'));
    expect(token).toMatchObject({ aud: 'ingestor-nav', roles: ['drift'], NAVident: ON_DUTY_NAV_IDENT });
    expect(token).not.toHaveProperty('idtyp');
  } finally {
    await issuer.stop();
  }
});

test('a token for an auditor is of somebody who is not on duty, and for the page of auditors', async () => {
  const issuer = await startTokenIssuer({ port: 0, audience: 'tiltak-datadeling' });
  try {
    const token = decodeJwt(await fetchAuditorToken(issuer.issuer, 'revisor-nav'));
    expect(token).toMatchObject({ aud: 'revisor-nav', roles: ['revisor'] });
    expect(token['NAVident']).not.toBe(ON_DUTY_NAV_IDENT);
  } finally {
    await issuer.stop();
  }
});

test('a token for an adapter has the scope, and the organisation', async () => {
  const issuer = await startTokenIssuer({ port: 0, audience: 'tiltak-datadeling' });
  try {
    const token = decodeJwt(await fetchToken(issuer.issuer, 'adapter-demo', { adapter: 'demo-fylke' }));
    expect(token).toMatchObject({ azp: 'adapter-demo', scope: 'tiltak:adapter', organisasjon: 'demo-fylke' });
  } finally {
    await issuer.stop();
  }
});

test('a token of another organisation is as Maskinporten gives it, of an issuer and a key of its own', async () => {
  const issuer = await startTokenIssuer({ port: 0, audience: 'tiltak-datadeling' });
  try {
    const asked = { orgnr: '310100005', scope: 'nav:tiltak/nav.les', audience: 'api', leverandoer: '310101370' };
    const { jwksUri, issuer: name } = issuer.maskinporten;
    const keys = createRemoteJWKSet(new URL(jwksUri));
    for (const token of [await fetchMaskinportenToken(issuer.issuer, asked), await issuer.maskinporten.token(asked)]) {
      const { payload } = await jwtVerify(token, keys, { issuer: name, audience: 'api', maxTokenAge: 60 });
      expect(payload).toMatchObject({
        scope: asked.scope,
        consumer: { authority: 'iso6523-actorid-upis', ID: '0192:310100005' },
        supplier: { authority: 'iso6523-actorid-upis', ID: '0192:310101370' },
      });
      expect((payload.exp ?? 0) - (payload.iat ?? 0)).toBe(120);
      await expect(jwtVerify(token, createRemoteJWKSet(new URL(issuer.jwksUri)))).rejects.toThrow();
    }
  } finally {
    await issuer.stop();
  }
});
