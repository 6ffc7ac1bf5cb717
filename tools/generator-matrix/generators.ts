/** How a client is generated. Without anything: as the generator does by itself. */
export interface Settings {
  /** openapi-generator's `--additional-properties` */
  properties?: Record<string, string>;
  /** generated from the document without the lists of values, as `OPEN_ENUMS` makes it */
  openEnums?: boolean;
  /** the generator's own configuration, as its file has it */
  config?: Record<string, unknown>;
  /** given in the call, as the last argument of the program */
  argument?: string;
}

/** Names of the two runs, which the results have. */
export const SETTINGS = ['standard', 'anbefalt'] as const;
export type SettingsName = (typeof SETTINGS)[number];

export interface Generator {
  name: string;
  title: string;
  /** which command makes it, and how it is compiled */
  kind: 'java' | 'kotlin' | 'go' | 'python' | 'openapi-python-client' | 'typescript-fetch' | 'hey-api' | 'orval';
  /** openapi-generator's `-g`, and its `--library` */
  openApiGenerator?: { generator: string; library?: string };
  recommended: Settings;
  /** lines of the documents: what is set, and why; what remains */
  advice: string[];
}

/** What openapi-generator is told, in the matrix as in the documents. */
export function openApiGeneratorArgs(
  { openApiGenerator }: Generator,
  { document, client }: { document: string; client: string },
  { properties = {} }: Settings,
): string[] {
  const { generator, library } = openApiGenerator ?? { generator: '' };
  const given = Object.entries(properties).map(([name, value]) => `${name}=${value}`);
  return [
    ...['generate', '-i', document, '-o', client, '-g', generator],
    ...(library === undefined ? [] : ['--library', library]),
    ...(given.length === 0 ? [] : ['--additional-properties', given.join(',')]),
  ];
}

/** What makes a document whose values a client takes as they come. Tried in the matrix as `openEnums`. */
export const OPEN_ENUMS = `jq 'del(.components.schemas[].enum)' openapi.json > openapi-open.json`;

export const GENERATORS: readonly Generator[] = [
  {
    name: 'java-native',
    title: 'openapi-generator, java, `native`',
    kind: 'java',
    openApiGenerator: { generator: 'java', library: 'native' },
    recommended: { properties: { enumUnknownDefaultCase: 'true' } },
    advice: [
      '`enumUnknownDefaultCase=true`: a value that is new is read as `UNKNOWN_DEFAULT_OPEN_API`. Treat it as `UKJENT`.',
    ],
  },
  {
    name: 'java-okhttp-gson',
    title: 'openapi-generator, java, `okhttp-gson`',
    kind: 'java',
    openApiGenerator: { generator: 'java', library: 'okhttp-gson' },
    recommended: {
      properties: { enumUnknownDefaultCase: 'true', disallowAdditionalPropertiesIfNotPresent: 'false' },
    },
    advice: [
      '`enumUnknownDefaultCase=true`: a value that is new is read as `UNKNOWN_DEFAULT_OPEN_API`. Treat it as `UKJENT`.',
      '`disallowAdditionalPropertiesIfNotPresent=false`: a field that is new is kept beside the known ones. By default it is refused.',
    ],
  },
  {
    name: 'kotlin',
    title: 'openapi-generator, kotlin',
    kind: 'kotlin',
    openApiGenerator: { generator: 'kotlin' },
    recommended: { properties: { enumUnknownDefaultCase: 'true', serializationLibrary: 'jackson' } },
    advice: [
      '`serializationLibrary=jackson` with `enumUnknownDefaultCase=true`: a value that is new is read as `unknown_default_open_api`.',
    ],
  },
  {
    name: 'python',
    title: 'openapi-generator, python',
    kind: 'python',
    openApiGenerator: { generator: 'python' },
    recommended: { openEnums: true },
    advice: [
      'It has no setting for a value that is new: generated without the lists of values, it has coded values as texts.',
    ],
  },
  {
    name: 'go',
    title: 'openapi-generator, go',
    kind: 'go',
    openApiGenerator: { generator: 'go' },
    recommended: {
      properties: {
        enumClassPrefix: 'true',
        enumUnknownDefaultCase: 'true',
        disallowAdditionalPropertiesIfNotPresent: 'false',
      },
    },
    advice: [
      '`enumClassPrefix=true`: the values of an enum begin with its name. By default the client does not compile, since several enums have `UKJENT`.',
      '`enumUnknownDefaultCase=true`: a value that is new is read as `unknown_default_open_api`. Treat it as `UKJENT`.',
      '`disallowAdditionalPropertiesIfNotPresent=false`: a field that is new is kept beside the known ones. By default it is refused.',
    ],
  },
  {
    name: 'typescript-fetch',
    title: 'openapi-generator, typescript-fetch',
    kind: 'typescript-fetch',
    openApiGenerator: { generator: 'typescript-fetch' },
    recommended: { properties: { dateLibrary: 'string' } },
    advice: ['`dateLibrary=string`: times are texts, and keep their microseconds. A `Date` has milliseconds only.'],
  },
  {
    name: 'hey-api',
    title: 'hey-api (`@hey-api/openapi-ts`)',
    kind: 'hey-api',
    recommended: { argument: 'stream' },
    advice: [
      "`parseAs: 'stream'` in the call of `eksporterAvtaler`: lines are read as they come. By default all of it is a Blob in memory.",
    ],
  },
  {
    name: 'orval',
    title: 'orval, `fetch`',
    kind: 'orval',
    recommended: {},
    advice: ['Nothing needs to be set. `eksporterAvtaler` gives the response in `stream`: read its body line by line.'],
  },
  {
    name: 'openapi-python-client',
    title: 'openapi-python-client',
    kind: 'openapi-python-client',
    recommended: {
      openEnums: true,
      config: { content_type_overrides: { 'application/x-ndjson': 'application/octet-stream' } },
    },
    advice: [
      '`content_type_overrides: {application/x-ndjson: application/octet-stream}` in its configuration: by default it leaves out what it does not know the type of.',
      'It has no setting for a value that is new: generated without the lists of values, it has coded values as texts.',
    ],
  },
];
