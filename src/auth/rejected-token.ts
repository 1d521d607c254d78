import type { ParsedToken } from './parse-token.ts';

/** Longest value, in UTF-16 code units, that the log records of a rejected token. */
const MAX_LENGTH = 256;

/** Control, format and line-separating characters: some terminals and log viewers obey them. */
const NOT_FOR_A_LOG = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;

/**
 * What the log records of a rejected token, so that its operator can compare it with the policy: `iss`, `aud` and `kid`, each
 * cut to 256 characters. Nobody has verified them. A member that the token does not have is left out.
 */
export function describeRejectedToken({ header, claims }: ParsedToken): Readonly<Record<string, string>> {
  return {
    ...member('iss', claims.iss),
    ...member('aud', claims.aud),
    ...member('kid', header.kid),
  };
}

function member(name: string, value: unknown): Readonly<Record<string, string>> {
  return value === undefined ? {} : { [name]: toLogText(value) };
}

/** The text of a value; a list is cut to as many entries as can matter before anything is done to them. */
function toLogText(value: unknown): string {
  const entries: readonly unknown[] = Array.isArray(value) ? value.slice(0, MAX_LENGTH) : [value];
  let text = '';
  for (const entry of entries) {
    if (text.length > MAX_LENGTH) break;
    const part = typeof entry === 'string' ? entry.slice(0, MAX_LENGTH) : `(${typeof entry})`;
    text += text === '' ? part : ` ${part}`;
  }
  return text.slice(0, MAX_LENGTH).toWellFormed().replace(NOT_FOR_A_LOG, '');
}
