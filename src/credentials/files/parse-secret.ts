/**
 * Matches an access key id. It is part of the credential scope (`<id>/<date>/<region>/oss/…`), so
 * it must not contain a separator.
 */
const ACCESS_KEY_ID = /^[A-Za-z0-9._-]+$/;

/**
 * Returns the fault of an access key id, secret or STS token; undefined if it is valid.
 * @param variable the name of its variable. `OSS_ACCESS_KEY_ID` and `OSS_ACCESS_KEY_ID_FILE` allow
 *   only the characters of an id.
 * @returns the rest of a sentence that begins with the variable's name. Never contains the value.
 */
export function secretFault(secret: string, variable: string): string | undefined {
  if (/^["'].*["']$/.test(secret)) return 'is in quotation marks; leave them out';
  if (!/^[!-~]+$/.test(secret)) return 'must be one line of printable ASCII without blanks';
  if (variable.startsWith('OSS_ACCESS_KEY_ID') && !ACCESS_KEY_ID.test(secret))
    return 'must consist of letters, digits, ".", "_" and "-"';
  return undefined;
}

/**
 * Parses the text of a secret file: one line, with or without a line break at the end.
 * @param variable the variable that names the file.
 * @returns the secret, or a fault: the rest of a sentence that begins with the variable's name.
 */
export function parseSecret(
  text: string,
  variable: string,
): { readonly secret: string } | { readonly fault: string } {
  const secret = text.trim();
  if (secret === '') return { fault: 'is empty' };
  const fault = secretFault(secret, variable);
  return fault === undefined ? { secret } : { fault };
}
