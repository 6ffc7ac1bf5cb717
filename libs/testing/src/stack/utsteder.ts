import { OAuth2Server } from 'oauth2-mock-server';

export interface LokalUtsteder {
  issuer: string;
  jwksUri: string;
  /** A token as Entra ID gives a machine. `claims` replace or, when undefined, remove. */
  token: (valg: { azp: string; claims?: Record<string, unknown>; varighet?: number }) => Promise<string>;
  /** Signs with a new key from now on. */
  roterNoekkel: () => Promise<void>;
  stopp: () => Promise<void>;
}

/** Issues tokens as Entra ID does. `POST /token` with `client_id` gives one to whoever asks: for local use only. */
export async function startUtsteder({ port, audience }: { port: number; audience: string }): Promise<LokalUtsteder> {
  const server = new OAuth2Server();
  let { kid } = await server.issuer.keys.generate('RS256');
  await server.start(port, '127.0.0.1');
  const issuer = `http://127.0.0.1:${String(port)}`;
  server.issuer.url = issuer;
  const claimsFor = (azp: string): Record<string, unknown> => ({
    aud: audience,
    azp,
    sub: azp,
    oid: azp,
    idtyp: 'app',
    roles: ['access_as_application'],
    ver: '2.0',
  });
  server.service.on('beforeTokenSigning', (token: { payload: Record<string, unknown> }, request: { body?: Record<string, unknown> }) => {
    const azp = request.body?.['client_id'];
    if (typeof azp === 'string') Object.assign(token.payload, claimsFor(azp));
  });
  return {
    issuer,
    jwksUri: `${issuer}/jwks`,
    token: ({ azp, claims = {}, varighet = 3_600 }) =>
      server.issuer.buildToken({
        kid,
        expiresIn: varighet,
        scopesOrTransform: (_header, payload) => {
          Object.assign(payload, claimsFor(azp), claims);
          for (const [navn, verdi] of Object.entries(claims)) if (verdi === undefined) Reflect.deleteProperty(payload, navn);
        },
      }),
    roterNoekkel: async () => {
      ({ kid } = await server.issuer.keys.generate('RS256'));
    },
    stopp: () => server.stop(),
  };
}
