/** As much of an OpenAPI 3.1 document as a client depends on. */
export interface Dokument {
  paths: Record<string, Record<string, Operasjon>>;
  components?: { schemas?: Record<string, Skjema> };
}

interface Operasjon {
  operationId?: string;
  summary?: string;
  parameters?: Parameter[];
  requestBody?: { required?: boolean; content: Innhold };
  responses: Record<string, { content?: Innhold }>;
}

interface Parameter {
  name: string;
  in: string;
  required?: boolean;
  schema?: Skjema;
}

type Innhold = Record<string, { schema?: Skjema }>;

interface Skjema {
  $ref?: string;
  allOf?: Skjema[];
  type?: string | string[];
  enum?: unknown[];
  pattern?: string;
  format?: string;
  properties?: Record<string, Skjema>;
  required?: string[];
  items?: Skjema;
  [grense: string]: unknown;
}

/** What callers send must still be taken; what they get must be what they knew. */
type Retning = 'inn' | 'ut';

/** With a value that stands for the unknown, clients are ready for what is new. */
const UKJENT = 'UKJENT';

/** Limits on what is sent, and which way narrows them. */
const GRENSER = { maximum: -1, maxLength: -1, maxItems: -1, minimum: 1, minLength: 1, minItems: 1 } as const;

/**
 * Everything in the new document that breaks a client made from the old one, each in a sentence with its place. Only
 * additions are allowed.
 */
export function finnBrudd(gammel: Dokument, ny: Dokument): string[] {
  const brudd = new Set<string>();
  const meld = (sted: string, hva: string): void => void brudd.add(`${sted}: ${hva}`);
  const sammenlign = skjemasammenligner(gammel, ny, meld);
  for (const navn of Object.keys(gammel.components?.schemas ?? {})) {
    if (!ny.components?.schemas?.[navn]) meld(navn, 'the schema is gone, or has another name');
  }
  for (const [sti, metoder] of Object.entries(gammel.paths)) {
    for (const [metode, foer] of Object.entries(metoder)) {
      const sted = `${metode.toUpperCase()} ${sti}`;
      const naa = ny.paths[sti]?.[metode];
      if (naa) sammenlignOperasjon(sted, foer, naa, { meld, sammenlign });
      else meld(sted, 'the operation is gone');
    }
  }
  return [...brudd];
}

type Meld = (sted: string, hva: string) => void;
type Sammenlign = (sted: string, foer: Skjema, naa: Skjema, retning: Retning) => void;

function sammenlignOperasjon(
  sted: string,
  foer: Operasjon,
  naa: Operasjon,
  { meld, sammenlign }: { meld: Meld; sammenlign: Sammenlign },
): void {
  if (foer.operationId !== naa.operationId) meld(sted, 'the operationId is another');
  sammenlignParametre(sted, foer.parameters ?? [], naa.parameters ?? [], { meld, sammenlign });
  if (!foer.requestBody?.required && naa.requestBody?.required) meld(sted, 'a body is required');
  innhold(`${sted} body`, foer.requestBody?.content ?? {}, naa.requestBody?.content ?? {}, 'inn');
  for (const [status, svar] of Object.entries(foer.responses)) {
    if (!naa.responses[status]) meld(sted, `the answer ${status} is gone`);
    innhold(`${sted} ${status}`, svar.content ?? {}, naa.responses[status]?.content ?? {}, 'ut');
  }

  function innhold(hvor: string, gammelt: Innhold, nytt: Innhold, retning: Retning): void {
    for (const [type, { schema = {} }] of Object.entries(gammelt)) {
      if (!nytt[type]) meld(hvor, `${type} is gone`);
      else sammenlign(hvor, schema, nytt[type].schema ?? {}, retning);
    }
  }
}

function sammenlignParametre(
  sted: string,
  foer: Parameter[],
  naa: Parameter[],
  { meld, sammenlign }: { meld: Meld; sammenlign: Sammenlign },
): void {
  const lik = (a: Parameter) => (b: Parameter) => a.name === b.name && a.in === b.in;
  for (const parameter of foer) {
    const ny = naa.find(lik(parameter));
    if (ny) sammenlign(`${sted} ${parameter.name}`, parameter.schema ?? {}, ny.schema ?? {}, 'inn');
    else meld(sted, `the parameter ${parameter.name} is gone`);
  }
  for (const parameter of naa) {
    const kreves = parameter.required && !foer.find(lik(parameter))?.required;
    if (kreves) meld(sted, `the parameter ${parameter.name} is required`);
  }
}

function skjemasammenligner(gammel: Dokument, ny: Dokument, meld: Meld): Sammenlign {
  const sett = new Set<string>();
  const sammenlign: Sammenlign = (sted, a, b, retning) => {
    const [foer, naa] = [slaaOpp(gammel, a), slaaOpp(ny, b)];
    const navn = a.$ref ?? a.allOf?.[0]?.$ref;
    const hvor = navn?.split('/').at(-1) ?? sted;
    if (navn !== undefined && sett.has(`${navn} ${retning}`)) return;
    if (navn !== undefined) sett.add(`${navn} ${retning}`);
    sammenlignVerdier(hvor, foer, naa, retning, meld);
    for (const [felt, skjema] of Object.entries(foer.properties ?? {})) {
      const nytt = naa.properties?.[felt];
      if (nytt) sammenlign(`${hvor}.${felt}`, skjema, nytt, retning);
      else meld(`${hvor}.${felt}`, 'the field is gone');
    }
    const [kreves, ble] = [foer.required ?? [], naa.required ?? []];
    if (retning === 'inn') for (const felt of ble) if (!kreves.includes(felt)) meld(`${hvor}.${felt}`, 'is required');
    if (retning === 'ut') {
      for (const felt of kreves) if (!ble.includes(felt)) meld(`${hvor}.${felt}`, 'may be missing');
    }
    if (foer.items) sammenlign(`${hvor}[]`, foer.items, naa.items ?? {}, retning);
  };
  return sammenlign;
}

function sammenlignVerdier(sted: string, foer: Skjema, naa: Skjema, retning: Retning, meld: Meld): void {
  const [trengs, tilbys] = retning === 'inn' ? [typer(foer), typer(naa)] : [typer(naa), typer(foer)];
  for (const type of trengs) {
    if (tilbys.length > 0 && !tilbys.includes(type)) {
      meld(sted, retning === 'inn' ? `${type} is not taken` : `may be ${type}`);
    }
  }
  if (foer.format !== naa.format) meld(sted, 'the format is another');
  if (foer.enum && naa.enum) {
    const [flere, faerre] = [nye(foer.enum, naa.enum), nye(naa.enum, foer.enum)];
    if (retning === 'inn' && faerre.length > 0) meld(sted, `${faerre.join(', ')} is not taken`);
    if (retning === 'ut' && flere.length > 0 && !foer.enum.includes(UKJENT)) meld(sted, `may be ${flere.join(', ')}`);
  }
  if (retning === 'ut') return;
  if (naa.enum && !foer.enum) meld(sted, 'only some values are taken');
  if (naa.pattern !== undefined && naa.pattern !== foer.pattern) meld(sted, 'the pattern is another');
  for (const [grense, fortegn] of Object.entries(GRENSER)) {
    const [a, b] = [foer[grense], naa[grense]];
    if (typeof b === 'number' && (typeof a !== 'number' || (b - a) * fortegn > 0)) meld(sted, `${grense} is narrower`);
  }
}

function nye(foer: unknown[], naa: unknown[]): unknown[] {
  return naa.filter((verdi) => !foer.includes(verdi));
}

function typer({ type }: Skjema): string[] {
  return type === undefined ? [] : [type].flat();
}

/** Without references: what it says, with what it is made of. */
function slaaOpp(dokument: Dokument, { $ref, allOf = [], ...eget }: Skjema): Skjema {
  const deler = [
    ...allOf,
    ...($ref === undefined ? [] : [dokument.components?.schemas?.[$ref.split('/').at(-1) ?? ''] ?? {}]),
  ];
  return deler.reduce<Skjema>((samlet, del) => {
    const oppslaatt = slaaOpp(dokument, del);
    return {
      ...oppslaatt,
      ...samlet,
      properties: { ...oppslaatt.properties, ...samlet.properties },
      required: [...(oppslaatt.required ?? []), ...(samlet.required ?? [])],
    };
  }, eget);
}
