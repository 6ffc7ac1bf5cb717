/** Where a page of the audit ended: its lines are in the order of time, and then of number. */
export interface Place {
  /** as Postgres writes it: a Date has no microseconds */
  moment: string;
  id: string;
}

export const FIRST: Place = { moment: '-infinity', id: '0' };
