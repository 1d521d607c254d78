/** One condition of the policy of a form. The policy binds only what its conditions name. */
export type PostCondition =
  | Readonly<Record<string, string>>
  | readonly ['eq', `$${string}`, string]
  | readonly ['content-length-range', number, number];

// Not within a value, where JSON escapes quotation marks.
const DOLLAR_OF_VALUE = /(?<!\["eq",")\$/g;

/**
 * Returns the text of the policy of a form. A dollar sign in a value has to be escaped. OSS knows
 * two ways: `\$`, which is not JSON, so that the official SDK for JavaScript rejects it, and
 * `\u0024`. Source: OSS, V4 signature of POST requests; PostObject, appendix.
 */
export function postPolicy(expiration: Date, conditions: readonly PostCondition[]): string {
  // `toISOString` has milliseconds, as all official samples have.
  const text = JSON.stringify({ expiration: expiration.toISOString(), conditions });
  return text.replaceAll(DOLLAR_OF_VALUE, '\\u0024');
}
