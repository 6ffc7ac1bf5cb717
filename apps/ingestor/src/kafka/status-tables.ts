/** Up to when each partition is included, and its end: of avtaler, and of all other resources. A topic is in one of them. */
export type StatusTable = 'konsum_status' | 'ressurs_status';

export const STATUS_TABLES: readonly StatusTable[] = ['konsum_status', 'ressurs_status'];
