/** A row of the audit. */
export interface Oppslag {
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
export function tilCef(oppslag: Oppslag, person: string): string {
  const felter: Record<string, string> = {
    end: String(oppslag.tidspunkt.getTime()),
    suid: oppslag.konsument,
    duid: person,
    sproc: oppslag.call_id,
    request: oppslag.operasjon,
    flexString1Label: 'Decision',
    flexString1: oppslag.tillatt ? 'Permit' : 'Deny',
    cs3Label: 'Behandlingsgrunnlag',
    cs3: oppslag.behandlingsgrunnlag ?? '',
    cs5Label: 'Felter',
    cs5: oppslag.felter.join(' '),
  };
  const utvidelse = Object.entries(felter).map(([navn, verdi]) => `${navn}=${somVerdi(verdi)}`);
  const hode = ['tiltak-datadeling', 'auditLog', '1.0', 'audit:access', 'tiltak-datadeling oppslag', 'INFO'];
  return `CEF:0|${hode.map(iHode).join('|')}|${utvidelse.join(' ')}`;
}

function iHode(tekst: string): string {
  return tekst.replace(/[\\|]/g, '\\$&');
}

function somVerdi(tekst: string): string {
  return tekst.replace(/[\\=]/g, '\\$&').replace(/\r?\n/g, '\\n');
}
