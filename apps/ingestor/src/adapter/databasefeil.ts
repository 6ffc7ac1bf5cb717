import { erForbigaaende } from '@tiltak/database';
import { fellesFeil, logg, Problem } from '@tiltak/platform';

/** @throws Problem 503 when the database can't be reached or is busy: nothing has happened then */
export async function tilUtilgjengelig<T>(arbeid: () => Promise<T>): Promise<T> {
  try {
    return await arbeid();
  } catch (feil) {
    if (feil instanceof Problem || !erForbigaaende(feil)) throw feil;
    logg.warn({ err: feil }, 'The database could not be used');
    throw new Problem(fellesFeil.UTILGJENGELIG, 'The database does not answer', { retryAfter: 5, cause: feil });
  }
}
