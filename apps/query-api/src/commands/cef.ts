/** What is read of a row of the audit. */
export interface AuditedLookup {
  tidspunkt: Date;
  konsument: string;
  behandlingsgrunnlag: string | null;
  operasjon: string;
  felter: string[];
  personer: string[];
  tillatt: boolean;
  call_id: string;
  antall_treff: number | null;
  utvalg: Record<string, unknown> | null;
  posisjon: string | null;
  avslag: string | null;
  antall_kall: number;
  /** absent in files from before it was kept */
  organisasjoner?: string[] | null;
}

/**
 * A person looked up, as a line in ArcSight's Common Event Format; without a person, a look-up that names nobody, with what
 * it was of and how many avtaler were told of. The person is the opaque id: nothing in the line is a national ident.
 */
export function toCef(row: AuditedLookup, person?: string): string {
  const extension: Record<string, string> = {
    end: String(row.tidspunkt.getTime()),
    suid: row.konsument,
    ...(person === undefined ? {} : { duid: person }),
    sproc: row.call_id,
    request: row.operasjon,
    flexString1Label: 'Decision',
    flexString1: row.tillatt ? 'Permit' : 'Deny',
    cs3Label: 'Behandlingsgrunnlag',
    cs3: row.behandlingsgrunnlag ?? '',
    cs5Label: 'Felter',
    cs5: row.felter.join(' '),
    ...(row.organisasjoner ? { cs4Label: 'Organisasjoner', cs4: row.organisasjoner.join(' ') } : {}),
    ...(row.avslag === null ? {} : { reason: row.avslag }),
    ...(person === undefined ? subsetOf(row) : {}),
  };
  const values = Object.entries(extension).map(([name, value]) => `${name}=${asValue(value)}`);
  const header = ['tiltak-datadeling', 'auditLog', '1.0', 'audit:access', 'tiltak-datadeling oppslag', 'INFO'];
  return `CEF:0|${header.map(inHeader).join('|')}|${values.join(' ')}`;
}

/** Of everyone («alle»), or of a part of them, and how many. */
function subsetOf({
  utvalg: subset,
  posisjon: position,
  antall_treff: hits,
  antall_kall: calls,
}: AuditedLookup): Record<string, string> {
  return {
    cs6Label: 'Utvalg',
    cs6: subset === null ? 'ingen' : subset['alle'] === true ? 'alle' : JSON.stringify(subset),
    ...(position === null ? {} : { cs2Label: 'Posisjon', cs2: position }),
    ...(hits === null ? {} : { cn1Label: 'Antall', cn1: String(hits) }),
    cnt: String(calls),
  };
}

function inHeader(text: string): string {
  return text.replace(/[\\|]/g, '\\$&');
}

function asValue(text: string): string {
  return text.replace(/[\\=]/g, '\\$&').replace(/\r?\n/g, '\\n');
}
