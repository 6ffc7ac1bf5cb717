/** The machine lacks something that is needed; the message says what to do about it. */
export class MissingToolError extends Error {}
