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
}

/**
 * A person looked up, as a line in ArcSight's Common Event Format. The person is the opaque id: nothing in the line is a
 * national ident.
 */
export function toCef(row: AuditedLookup, person: string): string {
  const extension: Record<string, string> = {
    end: String(row.tidspunkt.getTime()),
    suid: row.konsument,
    duid: person,
    sproc: row.call_id,
    request: row.operasjon,
    flexString1Label: 'Decision',
    flexString1: row.tillatt ? 'Permit' : 'Deny',
    cs3Label: 'Behandlingsgrunnlag',
    cs3: row.behandlingsgrunnlag ?? '',
    cs5Label: 'Felter',
    cs5: row.felter.join(' '),
  };
  const values = Object.entries(extension).map(([name, value]) => `${name}=${asValue(value)}`);
  const header = ['tiltak-datadeling', 'auditLog', '1.0', 'audit:access', 'tiltak-datadeling oppslag', 'INFO'];
  return `CEF:0|${header.map(inHeader).join('|')}|${values.join(' ')}`;
}

function inHeader(text: string): string {
  return text.replace(/[\\|]/g, '\\$&');
}

function asValue(text: string): string {
  return text.replace(/[\\=]/g, '\\$&').replace(/\r?\n/g, '\\n');
}
