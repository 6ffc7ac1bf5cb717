/** Jest demands a default export here and in its counterpart. */
export default async function stopp(): Promise<void> {
  await Promise.all([globalThis.testStack?.kafka.stopp(), globalThis.testStack?.postgres.stopp()]);
}
