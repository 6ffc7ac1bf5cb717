import { join } from 'node:path';
import {
  createWorkDir,
  freePort,
  prepareKafka,
  startKafka,
  startPostgres,
  startTokenIssuer,
  type LocalKafka,
  type LocalPostgres,
  type TokenIssuer,
} from '@tiltak/testing';

/** What all scenes share: a broker, an issuer of tokens, and a Postgres for those that kill none. */
export interface Stage {
  /** fewer messages, shorter waits: what is held is the same */
  brief: boolean;
  /** each scene plants the fault that its promise is about, and must notice */
  broken: boolean;
  kafka: LocalKafka;
  postgres: LocalPostgres;
  issuer: TokenIssuer;
  directory: string;
  close: () => Promise<void>;
}

export async function openStage({ brief, broken }: Pick<Stage, 'brief' | 'broken'>): Promise<Stage> {
  await prepareKafka();
  const { directory, clean } = createWorkDir('demo');
  const place = (name: string): { dataDir: string; logFile: string } => ({
    dataDir: join(directory, name),
    logFile: join(directory, `${name}.log`),
  });
  const [kafkaPort, postgresPort, issuerPort] = [await freePort(), await freePort(), await freePort()];
  const [kafka, postgres, issuer] = await Promise.all([
    startKafka({ port: kafkaPort, ...place('kafka') }),
    startPostgres({ port: postgresPort, ...place('postgres'), throwaway: true }),
    startTokenIssuer({ port: issuerPort, audience: 'ingen' }),
  ]);
  const close = async (): Promise<void> => {
    await Promise.all([issuer.stop(), postgres.stop(), kafka.stop()]);
    clean();
  };
  return { brief, broken, kafka, postgres, issuer, directory, close };
}
