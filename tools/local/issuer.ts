import { parseArgs } from 'node:util';
import { startTokenIssuer } from '@tiltak/testing';

/** The token issuer alone, where others than this machine's own processes ask it: docker-compose.yml. */
const { values } = parseArgs({
  options: {
    port: { type: 'string', default: '8090' },
    url: { type: 'string', default: 'http://127.0.0.1:8090' },
    audience: { type: 'string', default: 'tiltak-datadeling-nav' },
  },
});
const { port, url, audience } = values;
const issuer = await startTokenIssuer({ port: Number(port), audience, host: '0.0.0.0', url });
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => void issuer.stop().then(() => process.exit(0)));
