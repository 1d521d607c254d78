import type { CredentialsLog } from '../../src/credentials/managed-credentials.ts';

/** Creates a log that keeps its lines: level, message and fields. */
export function createRecordedLog(): CredentialsLog & { readonly lines: readonly string[] } {
  const lines: string[] = [];
  const write = (level: string) => (fields: object, message: string) =>
    void lines.push(`${level}: ${message} ${JSON.stringify(fields)}`);
  return { lines, info: write('info'), warn: write('warn') };
}
