/** One condition that a replica must meet to be ready, or that `oss-presign check` tests. */
export type ReadinessCheck = {
  readonly name: string;
  readonly ok: boolean;
  /**
   * For operators. Holds no secret and no address with a password; undefined if there is nothing to
   * add.
   */
  readonly detail?: string | undefined;
};

/**
 * A check as one line with its line feed: `ok credentials` or `FAILED credentials`.
 * @param options.details appends the detail, e.g. `ok credentials: static`. Only for operators.
 */
export function renderCheck(
  { name, ok, detail }: ReadinessCheck,
  { details }: { readonly details: boolean },
): string {
  return `${ok ? 'ok' : 'FAILED'} ${name}${details && detail !== undefined ? `: ${detail}` : ''}\n`;
}
