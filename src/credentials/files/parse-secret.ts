/** The id is part of the credential scope (`<id>/<date>/<region>/oss/…`), so it holds nothing that separates the parts of one. */
const ACCESS_KEY_ID = /^[A-Za-z0-9._-]+$/;

/**
 * What is wrong with an access key id, secret or STS token, as the rest of a sentence that begins with the variable's name.
 * It never holds the value.
 * @param variable `OSS_ACCESS_KEY_ID` and `OSS_ACCESS_KEY_ID_FILE` are held to the characters of an id.
 */
export function secretFault(secret: string, variable: string): string | undefined {
  if (/^["'].*["']$/.test(secret)) return 'is in quotation marks; leave them out';
  if (!/^[!-~]+$/.test(secret)) return 'must be one line of printable ASCII without blanks';
  if (variable.startsWith('OSS_ACCESS_KEY_ID') && !ACCESS_KEY_ID.test(secret))
    return 'must consist of letters, digits, ".", "_" and "-"';
  return undefined;
}

/**
 * The secret in the text of a file: one line, with or without a line break at its end.
 * @param variable the variable that names the file.
 * @returns the secret, or what is wrong, as the rest of a sentence that begins with the variable's name.
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
