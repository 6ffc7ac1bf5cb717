import { commonVariables, entraVariables, readEnvironment, startHttp, type Stop } from '@tiltak/platform';
import { freePort } from '@tiltak/testing';
import { AUDIENCE } from '../process/issuer.ts';
import { ControlModule, type ControlParts } from './control.module.ts';
import { serveDocument } from './openapi.ts';

/** Starts the control API behind the front. It needs no token: nobody but this machine comes to it. */
export async function startControl(parts: ControlParts, issuer: string): Promise<{ url: string; stop: Stop }> {
  const port = await freePort();
  const config = readEnvironment(
    { ...commonVariables, ...entraVariables },
    {
      ORGANISASJON: 'sandkasse',
      HOST: '127.0.0.1',
      PORT: String(port),
      NEDSTENGING_VENTETID_MS: '0',
      AZURE_APP_CLIENT_ID: AUDIENCE,
      AZURE_OPENID_CONFIG_ISSUER: issuer,
      AZURE_OPENID_CONFIG_JWKS_URI: issuer,
    },
  );
  const http = await startHttp({
    module: ControlModule.with(parts),
    config,
    openRoutes: ['/sandkasse/*'],
    readiness: {},
    maxStopMs: 1_000,
    configure: serveDocument,
  });
  return { url: `http://127.0.0.1:${String(port)}`, stop: http.stop };
}
