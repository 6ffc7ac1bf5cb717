import { asJsonObject, parseJsonObject, type ParkingReason } from '@tiltak/avtale';

/** What the person register says of one of its keys: everything that holds now. */
export interface IdentMessage {
  /** an aktørId */
  key: string;
  /** the national idents of the person, also former ones; empty when the person is gone from the register */
  idents: readonly string[];
}

export type ParsedIdent = { ok: true; message: IdentMessage } | { ok: false; reason: ParkingReason };

/** A person has a handful. More is a fault that would join strangers. */
const MAX_IDENTS = 50;
/** The types that an avtale, or a request, can name; of the others nothing is read. */
const NATIONAL = new Set<unknown>(['FOLKEREGISTERIDENT', 'NPID']);

/**
 * Reads a message of the register's topic: the key is an aktørId, the value `{"identifikatorer": [{"idnummer", "type",
 * "gjeldende"}]}`, or nothing. Which ident is the current one is not read: nothing here depends on it. Total, as
 * `parseMessage` of avtaler; a reason never holds a value.
 */
export function parseIdentMessage(key: Uint8Array | null, value: Uint8Array | null): ParsedIdent {
  const keyText = key === null ? '' : Buffer.from(key).toString('latin1');
  if (!/^\d{13}$/.test(keyText)) return rejected('UGYLDIG_NOKKEL', 'key', 'the key must be an aktørId, 13 digits');
  if (value === null) return { ok: true, message: { key: keyText, idents: [] } };
  const text = utf8(value);
  if (text === undefined) return rejected('IKKE_UTF8', null, 'not valid UTF-8');
  const list = parseJsonObject(text)?.['identifikatorer'];
  if (list === undefined) return rejected('IKKE_OBJEKT', null, 'not a JSON object with identifikatorer');
  if (!Array.isArray(list)) return rejected('UGYLDIG_FELT', 'identifikatorer', 'must be a list');
  const idents = new Set<string>();
  for (const entry of list as unknown[]) {
    const identifikator = asJsonObject(entry);
    if (typeof identifikator?.['type'] !== 'string') return rejected('UGYLDIG_FELT', 'type', 'must be text');
    if (!NATIONAL.has(identifikator['type'])) continue;
    const { idnummer: ident } = identifikator;
    if (typeof ident !== 'string' || !/^\d{11}$/.test(ident)) {
      return rejected('UGYLDIG_FELT', 'idnummer', 'must be eleven digits');
    }
    idents.add(ident);
  }
  if (idents.size > MAX_IDENTS) {
    return rejected('UGYLDIG_FELT', 'identifikatorer', `names more than ${String(MAX_IDENTS)} idents`);
  }
  return { ok: true, message: { key: keyText, idents: [...idents] } };
}

function rejected(code: ParkingReason['code'], field: string | null, reason: string): ParsedIdent {
  return { ok: false, reason: { code, field, reason } };
}

const strictUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function utf8(bytes: Uint8Array): string | undefined {
  try {
    return strictUtf8.decode(bytes);
  } catch {
    return undefined;
  }
}
