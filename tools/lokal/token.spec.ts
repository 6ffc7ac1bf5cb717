import { join } from 'node:path';
import { decodeJwt } from 'jose';
import { kjorProgram, ledigPort, ROT, startUtsteder } from '@tiltak/testing';
import { hentToken, lesKonsumenter } from './token.ts';

test('the local registry has a consumer that may do all, and one that may do little', () => {
  expect(lesKonsumenter().map(({ navn }) => navn)).toEqual(expect.arrayContaining(['alt', 'smal']));
});

test('a token is for the consumer that it was asked for', async () => {
  const utsteder = await startUtsteder({ port: 0, audience: 'tiltak-datadeling' });
  try {
    expect(decodeJwt(await hentToken(utsteder.issuer, 'en-klient'))).toMatchObject({
      iss: utsteder.issuer,
      aud: 'tiltak-datadeling',
      azp: 'en-klient',
    });
  } finally {
    await utsteder.stopp();
  }
});

test('a stack that is gone is said in a sentence', async () => {
  await expect(hentToken(`http://127.0.0.1:${String(await ledigPort())}`, 'en-klient')).rejects.toThrow(
    'The local stack is not running: start it with npm start.',
  );
});

test.each([
  [[], /^Usage: npm run token -- <konsument>.*, where konsument is one of: .*\balt\b.*\bsmal\b.*\.\n$/],
  [['ukjent'], /^There is no consumer ukjent in tools\/lokal\/konsumenter\.yaml, only: .*\balt\b.*\.\n$/],
])('npm run token with %j says in one sentence who is known', async (argumenter, sagt) => {
  const skript = join(ROT, 'tools', 'lokal', 'token.ts');
  const env = { ...process.env, NODE_OPTIONS: '' };
  expect(await kjorProgram(process.execPath, [skript, ...argumenter], { env })).toEqual({
    kode: 1,
    utskrift: expect.stringMatching(sagt),
  });
});

test('a token for somebody on duty has the role', async () => {
  const utsteder = await startUtsteder({ port: 0, audience: 'tiltak-datadeling' });
  try {
    expect(decodeJwt(await hentToken(utsteder.issuer, 'vakt', { rolle: 'drift' }))).toMatchObject({ roles: ['drift'] });
  } finally {
    await utsteder.stopp();
  }
});

test('a token for an adapter has the scope, and the organisation', async () => {
  const utsteder = await startUtsteder({ port: 0, audience: 'tiltak-datadeling' });
  try {
    const token = decodeJwt(await hentToken(utsteder.issuer, 'adapter-demo', { adapter: 'demo-fylke' }));
    expect(token).toMatchObject({ azp: 'adapter-demo', scope: 'tiltak:adapter', organisasjon: 'demo-fylke' });
  } finally {
    await utsteder.stopp();
  }
});
