/** The environment variables of a process. */
export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Whether a variable has a value. Container platforms set a variable to nothing to leave it out.
 */
export function isSet(value: string | undefined): value is string {
  return value !== undefined && value.trim() !== '';
}
