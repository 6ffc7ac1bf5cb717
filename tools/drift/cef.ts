/** A row of the audit. */
export interface AuditRow {
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
export function toCef(auditReport: AuditRow, person: string): string {
  const fields: Record<string, string> = {
    end: String(auditReport.tidspunkt.getTime()),
    suid: auditReport.konsument,
    duid: person,
    sproc: auditReport.call_id,
    request: auditReport.operasjon,
    flexString1Label: 'Decision',
    flexString1: auditReport.tillatt ? 'Permit' : 'Deny',
    cs3Label: 'Behandlingsgrunnlag',
    cs3: auditReport.behandlingsgrunnlag ?? '',
    cs5Label: 'Felter',
    cs5: auditReport.felter.join(' '),
  };
  const extension = Object.entries(fields).map(([name, value]) => `${name}=${asValue(value)}`);
  const header = ['tiltak-datadeling', 'auditLog', '1.0', 'audit:access', 'tiltak-datadeling oppslag', 'INFO'];
  return `CEF:0|${header.map(inHeader).join('|')}|${extension.join(' ')}`;
}

function inHeader(text: string): string {
  return text.replace(/[\\|]/g, '\\$&');
}

function asValue(text: string): string {
  return text.replace(/[\\=]/g, '\\$&').replace(/\r?\n/g, '\\n');
}
