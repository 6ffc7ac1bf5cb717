import { DELETE_BEFORE } from '@tiltak/avtale';
import { VIRKSOMHETER } from '@tiltak/virksomhet';
import { stringify } from 'yaml';
import { SCHEMA } from '../config.ts';
import { HEADERS } from '../trigger/trigger-event.ts';
import {
  avtaleSchema,
  EXAMPLE_AVTALE_MESSAGE,
  EXAMPLE_EVENT,
  IDENT_SCHEMA,
  schemaOf,
  TRIGGER_SCHEMA,
  type JsonSchema,
  type ResourceSchema,
} from './schemas.ts';

const DESCRIPTION = `The topics of one organisation's ingestor. It reads avtaler from one, whose idents are one person's from another, and employers from one more; what an adapter sends over REST becomes messages on the first; and it tells of each change of an avtale on the last.

**Who listens to the trigger topic** gets one event for each line of the change feed (\`hentEndringer\`), in its order for each avtale, at least once. A repeat has the same \`id\`. An event holds no personal data and no content: look up what has changed, with \`Minst-Posisjon: <data.posisjon>\` to be sure that the answer holds the change. The topic keeps events for a week; the change feed reaches further back. How to get access: docs/konsumenter.md.`;

/** @param openApi the document of the ingestor's API, which says what an avtale is as an adapter sends it */
export function asyncApiText(openApi: string): string {
  const { components } = JSON.parse(openApi) as { components: { schemas: { Ressurs: ResourceSchema } } };
  const document = createDocument(components.schemas.Ressurs);
  const head = '# Written by npm run openapi from apps/ingestor/src/asyncapi; changes are made there.\n';
  return head + stringify(document, { lineWidth: 120, aliasDuplicateObjects: false });
}

function createDocument(resource: ResourceSchema): object {
  return {
    asyncapi: '3.0.0',
    info: {
      title: 'tiltak-datadeling: topics',
      version: '1.0.0',
      description: DESCRIPTION,
      license: { name: 'MIT', url: 'https://opensource.org/license/mit' },
      contact: { name: 'tiltak', url: 'https://github.com/navikt/tiltak-datadeling' },
      tags: TAGS,
    },
    defaultContentType: 'application/json',
    channels: CHANNELS,
    operations: OPERATIONS,
    components: { messages: MESSAGES, schemas: schemas(resource) },
  };
}

const TAGS = [
  { name: 'avtaler', description: 'What is stored' },
  { name: 'identer', description: "Whose idents are one person's" },
  { name: 'virksomheter', description: 'Employers' },
  { name: 'trigger', description: 'What is told to others' },
];

/** Each name is the organisation's own. */
const address = (name: keyof typeof SCHEMA, example: string): object => ({
  address: '{topic}',
  parameters: {
    topic: {
      description: `The setting ${name}: ${SCHEMA[name].description}`,
      examples: [example],
    },
  },
});

const ref = (kind: 'channels' | 'components/messages' | 'components/schemas', name: string): { $ref: string } => ({
  $ref: `#/${kind}/${name}`,
});
const kafkaTopic = (policy: 'compact' | 'delete', more: object = {}): object => ({
  bindings: { kafka: { topicConfiguration: { 'cleanup.policy': [policy], ...more } } },
});

const WEEK_MS = 7 * 24 * 3_600_000;

const CHANNELS = {
  avtaler: {
    ...address('KAFKA_TOPIC', SCHEMA.KAFKA_TOPIC.default ?? ''),
    title: 'Avtaler',
    description:
      'Compacted: the last message of each avtale stays. The newest `sistEndret` wins, whatever the order; equal goes to the later one of its partition.',
    messages: { avtale: ref('components/messages', 'avtale'), gravstein: ref('components/messages', 'gravstein') },
    ...kafkaTopic('compact'),
  },
  identer: {
    ...address('IDENT_TOPIC', 'pdl.aktor-json'),
    title: 'Idents of persons',
    description: 'Only where the setting is made. The last message of a key replaces what was known of it.',
    messages: { person: ref('components/messages', 'person') },
    ...kafkaTopic('compact'),
  },
  virksomheter: {
    ...address('VIRKSOMHET_TOPIC', 'arbeidsgiver.tiltak-virksomheter-hendelse-compact'),
    title: 'Virksomheter',
    description:
      'Only where the setting is made. As avtaler: compacted, and the newest `sistEndret` wins, whatever the order.',
    messages: {
      virksomhet: ref('components/messages', 'virksomhet'),
      virksomhetGravstein: ref('components/messages', 'virksomhetGravstein'),
    },
    ...kafkaTopic('compact'),
  },
  trigger: {
    ...address('TRIGGER_TOPIC', 'tiltak.datadeling-nav-avtale-endret'),
    title: 'Triggers',
    description: 'Only where the setting is made. In the order of the change feed for each avtale, at least once.',
    messages: { trigger: ref('components/messages', 'trigger') },
    ...kafkaTopic('delete', { 'retention.ms': WEEK_MS }),
  },
};

const operation = (
  action: 'send' | 'receive',
  channel: keyof typeof CHANNELS,
  text: { title: string; description: string },
): object => ({ action, channel: ref('channels', channel), ...text });

const OPERATIONS = {
  lesAvtaler: operation('receive', 'avtaler', {
    title: 'The stream',
    description: 'Each message takes effect once, or is parked with a reason.',
  }),
  skrivAvtaler: operation('send', 'avtaler', {
    title: 'From an adapter',
    description:
      "What an adapter sends to /adapter/v1, cut down to the fields that are read, with every replica's acknowledgement before it is answered with 201. A deletion is a message without a value.",
  }),
  lesIdenter: operation('receive', 'identer', {
    title: 'The person register',
    description: 'Which idents are those of one person.',
  }),
  lesVirksomheter: operation('receive', 'virksomheter', {
    title: 'Employers',
    description: 'Each message takes effect once, or is parked with a reason.',
  }),
  meldEndringer: operation('send', 'trigger', {
    title: 'Triggers',
    description: 'One event for each line of the change feed, published by one ingestor at a time.',
  }),
};

const key = (description: string, schema: JsonSchema): object => ({
  bindings: { kafka: { key: { type: 'string', description, ...schema } } },
});
const VIRKSOMHET_KEY = key('organisasjonsnummer', { pattern: '^[0-9]{9}$' });
const AVTALE_KEY = key('avtaleId', { format: 'uuid' });

const TOMBSTONE_HEADERS: JsonSchema = {
  type: 'object',
  properties: {
    [DELETE_BEFORE]: {
      type: 'string',
      pattern: '^[0-9]+$',
      description: 'Of a full sync: the offset of the partition that it does not delete beyond',
    },
  },
};

const MESSAGES = {
  avtale: {
    name: 'avtale',
    title: 'An avtale as it is now',
    contentType: 'application/json',
    payload: ref('components/schemas', 'Avtale'),
    ...AVTALE_KEY,
    examples: [{ name: 'enAvtale', payload: EXAMPLE_AVTALE_MESSAGE }],
  },
  gravstein: {
    name: 'gravstein',
    title: 'An avtale that is gone',
    description: 'A message without a value. It beats everything before it, and only what is newer revives the avtale.',
    headers: TOMBSTONE_HEADERS,
    payload: { type: 'null' },
    ...AVTALE_KEY,
  },
  person: {
    name: 'person',
    title: "A person's idents",
    description: 'Without a value: the person is gone from the register.',
    contentType: 'application/json',
    payload: { oneOf: [ref('components/schemas', 'Person'), { type: 'null' }] },
    ...key('aktørId', { pattern: '^[0-9]{13}$' }),
  },
  virksomhet: {
    name: 'virksomhet',
    title: 'A virksomhet as it is now',
    contentType: 'application/json',
    payload: ref('components/schemas', 'Virksomhet'),
    ...VIRKSOMHET_KEY,
  },
  virksomhetGravstein: {
    name: 'virksomhetGravstein',
    title: 'A virksomhet that is gone',
    description:
      'A message without a value, as of an avtale. One that was struck off the register is not gone: it has slettetDato.',
    headers: TOMBSTONE_HEADERS,
    payload: { type: 'null' },
    ...VIRKSOMHET_KEY,
  },
  trigger: {
    name: 'trigger',
    title: 'An avtale has changed',
    contentType: 'application/cloudevents+json',
    headers: {
      type: 'object',
      required: ['content-type'],
      properties: { 'content-type': { const: HEADERS['content-type'] } },
    },
    payload: ref('components/schemas', 'Trigger'),
    ...AVTALE_KEY,
    examples: [{ name: 'enEndring', headers: HEADERS, payload: EXAMPLE_EVENT }],
  },
};

const schemas = (resource: ResourceSchema): Record<string, JsonSchema> => ({
  Avtale: avtaleSchema(resource),
  Person: IDENT_SCHEMA,
  Virksomhet: schemaOf(VIRKSOMHETER),
  Trigger: TRIGGER_SCHEMA,
});
