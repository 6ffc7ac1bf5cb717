/** The most steps from a unit to the top of its chain; the register has far fewer. What is longer has no hovedenhet. */
export const MAX_LEVELS = 20;

/**
 * The top of the chain that begins at a unit, of what each unit says is right above it. The top may be one that is not
 * here yet.
 *
 * @param overordnetOf undefined or null: that unit says nothing, or isn't here
 * @returns null when the unit is itself the top, and when its chain leads into a cycle or is longer than `MAX_LEVELS`
 */
export function hovedenhetOf(
  organisasjonsnummer: string,
  overordnetOf: (organisasjonsnummer: string) => string | null | undefined,
): string | null {
  let top = organisasjonsnummer;
  for (let level = 0; level <= MAX_LEVELS; level++) {
    const above = overordnetOf(top);
    if (above === undefined || above === null) return level === 0 ? null : top;
    top = above;
  }
  return null;
}
