/**
 * The secret in the text of a file: one line of printable ASCII without blanks, with or without a line break at its end.
 * @returns the secret, or what is wrong, as the rest of a sentence that begins with the file's name.
 */
export function parseSecret(text: string): { readonly secret: string } | { readonly fault: string } {
  const secret = text.trim();
  if (secret === '') return { fault: 'is empty' };
  return /^[!-~]+$/.test(secret) ? { secret } : { fault: 'does not hold one line of printable ASCII' };
}
