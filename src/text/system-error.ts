/** The code of a Node.js system error, such as `ENOENT`; `unknown error` if it has none. */
export function systemErrorCode(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return typeof code === 'string' ? code : 'unknown error';
}
