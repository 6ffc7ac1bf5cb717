import { deltakerIdMed, lagDatakilde, lagPool } from '@tiltak/database';
import { logg, maalForbindelser, startHttp, type Stopp } from '@tiltak/platform';
import type { Kafka } from 'kafkajs';
import { lagAdapterdel } from './adapter/adapter.ts';
import { tillatStoreSider } from './adapter/storrelse.ts';
import { Avstemming } from './avstemming/avstemming.ts';
import { taImotLister } from './avstemming/liste.ts';
import { Retting } from './avstemming/retting.ts';
import { AVTALE_HENDELSE } from './avtaler/avtaler.consumer.ts';
import { Innlesning } from './avtaler/avtaler.innlesning.ts';
import type { Konfig } from './config.ts';
import { valgAvDatabase, gjorKlarDatabase } from './database.ts';
import { Gjenoppbygging } from './drift/gjenoppbygging.ts';
import { Topic, type Lesing } from './kafka/topic.ts';
import { SIDERUTER, visSide } from './drift/side.ts';
import { Beskjaering } from './endringer/beskjaering.ts';
import { Ferskhetsmaaler } from './ferskhet/ferskhet.ts';
import { IngestorModule, type Deler } from './ingestor.module.ts';
import { BatchStrategi, type Forbruksvalg } from './kafka/batch-strategi.ts';
import { lagKafka } from './kafka/klient.ts';
import { klargjorPosisjoner, lesUtstrekning } from './kafka/posisjoner.ts';
import { DOKUMENTRUTER, dokumentSomTekst, visDokument } from './openapi.ts';
import { Relasjonsbygging } from './relasjoner/bygging.ts';

/**
 * Starts the ingestor: HTTP first, so that the platform sees a living process while it waits; then the database and its
 * schema; then consumption and the measuring of freshness. Stops in reverse.
 */
export async function startIngestor(konfig: Konfig): Promise<Stopp> {
  logg.level = konfig.LOG_LEVEL;
  const topic = konfig.KAFKA_TOPIC;
  const deltakerId = deltakerIdMed(konfig.DELTAKER_ID_NOEKKEL);
  const datakilde = lagDatakilde(valgAvDatabase(konfig));
  const pool = lagPool(valgAvDatabase(konfig));
  const kafka = kafkaFor(konfig);
  const admin = kafka.admin();
  const forbruk = {
    topic,
    monster: AVTALE_HENDELSE,
    groupId: konfig.KAFKA_GROUP_ID ?? `tiltak-datadeling-${konfig.ORGANISASJON}`,
    samtidigePartisjoner: konfig.KAFKA_SAMTIDIGE_PARTISJONER,
  };
  const strategi = new BatchStrategi(kafka, forbruk, (partisjoner) =>
    klargjorPosisjoner(datakilde, admin, topic, partisjoner),
  );
  const innlesning = new Innlesning(pool, deltakerId);
  const denneTopic = new Topic(
    topic,
    () => lesUtstrekning(admin, topic),
    (lesing) => lagLeser(kafka, forbruk, lesing),
  );
  const gjenoppbygging = new Gjenoppbygging(pool, innlesning, denneTopic);
  const adapter = lagAdapterdel(konfig, kafkaFor(konfig, { forsoek: 3 }), pool);
  const avstemming = new Avstemming(pool, denneTopic, {
    maksLinjer: konfig.AVSTEMMING_MAKS_LINJER,
    fristSekunder: konfig.AVSTEMMING_FRIST_SEKUNDER,
  });
  const maaler = new Ferskhetsmaaler(datakilde, admin, topic);
  const bygging = new Relasjonsbygging(pool);
  const beskjaering = new Beskjaering(datakilde, konfig.ENDRINGER_BEHOLDES_DAGER);

  let startet = false;
  const http = await startHttp({
    modul: IngestorModule.med({
      pool,
      innlesning,
      hva: { organisasjon: konfig.ORGANISASJON, topic },
      gjenoppbygging,
      adapterpool: adapter.adapterpool,
      synker: adapter.synker,
      avstemming,
      retting: new Retting(pool, innlesning, adapter.publisering, denneTopic),
    }),
    konfig,
    // A list of some million avtaler takes its time.
    maksSekunder: 600,
    apneRuter: [...SIDERUTER, ...DOKUMENTRUTER],
    klarhet: {
      oppstart: () => startet,
      database: () => pool.query('select 1').then(() => true),
      kafka: () => strategi.erMedlem,
    },
    konfigurer: (app) => {
      visDokument(visSide(taImotLister(tillatStoreSider(app))));
      app.connectMicroservice({ strategy: strategi });
    },
  });
  await gjorKlarDatabase(konfig, datakilde, deltakerId);
  await admin.connect();
  await http.app.startAllMicroservices();
  maalForbindelser({ strom: pool, adapter: adapter.adapterpool });
  maaler.start();
  beskjaering.start();
  bygging.start();
  gjenoppbygging.foelgMed();
  adapter.start();
  await avstemming.visSiste();
  startet = true;
  logg.info({ organisasjon: konfig.ORGANISASJON, topic, port: konfig.PORT }, 'The ingestor is started');

  return async () => {
    await gjenoppbygging.slutt();
    await http.stopp();
    await adapter.stopp();
    await maaler.stopp();
    await beskjaering.stopp();
    await bygging.stopp();
    await admin.disconnect();
    await datakilde.destroy();
    await pool.end();
  };
}

/** Prints the OpenAPI document, for `npm run openapi`. Nothing that the controllers work with is used. */
export async function skrivDokument(): Promise<void> {
  process.stdout.write(await dokumentSomTekst(IngestorModule.med({ hva: { organisasjon: '', topic: '' } } as Deler)));
}

function kafkaFor(konfig: Konfig, valg: { forsoek?: number } = {}): Kafka {
  return lagKafka({
    ...valg,
    brokers: konfig.KAFKA_BROKERS,
    clientId: `ingestor-${konfig.ORGANISASJON}`,
    caSti: konfig.KAFKA_CA_PATH,
    sertifikatSti: konfig.KAFKA_CERTIFICATE_PATH,
    noekkelSti: konfig.KAFKA_PRIVATE_KEY_PATH,
  });
}

/** In a group of its own, so that the stream is left alone. */
function lagLeser(kafka: Kafka, forbruk: Forbruksvalg, { hva, behandle, posisjoner }: Lesing): BatchStrategi {
  const leser = new BatchStrategi(
    kafka,
    { ...forbruk, monster: hva, groupId: `${forbruk.groupId}-${hva}` },
    posisjoner,
  );
  leser.addHandler(hva, behandle);
  return leser;
}
