import { fellesFeil, logg, Problem } from '@tiltak/platform';

/** What passes: no connection, the database going down or coming up, a lock or statement that took too long. */
const FORBIGAAENDE = /^(08|53|57|55P03|40|ECONN|ETIMEDOUT|EPIPE|ENOTFOUND|EAI_AGAIN)/;

/** @throws Problem 503 when the database can't be reached or is busy: nothing has happened then */
export async function tilUtilgjengelig<T>(arbeid: () => Promise<T>): Promise<T> {
  try {
    return await arbeid();
  } catch (feil) {
    if (feil instanceof Problem || !(feil instanceof Error)) throw feil;
    const kode = 'code' in feil && typeof feil.code === 'string' ? feil.code : '';
    if (!FORBIGAAENDE.test(kode) && !/timeout|Connection terminated/i.test(feil.message)) throw feil;
    logg.warn({ err: feil }, 'The database could not be used');
    throw new Problem(fellesFeil.UTILGJENGELIG, 'The database does not answer', { retryAfter: 5, cause: feil });
  }
}
