import { z } from 'zod';
import { secretFault } from '../credentials/files/parse-secret.ts';
import { didYouMean } from '../text/suggest.ts';

/**
 * A value that is used exactly as written. It must not be quoted: shells and YAML remove quotation
 * marks, but `docker run --env-file` does not.
 */
export const text = z.string().superRefine((value, context) => {
  const fault = textFault(value);
  if (fault !== undefined) context.addIssue({ code: 'custom', message: fault, continue: false });
});

function textFault(value: string): string | undefined {
  if (/^["']|["']$/.test(value)) return 'is in quotation marks; leave them out';
  if (/\p{Cc}/u.test(value)) return 'must not contain a line break or another control character';
  return value.trim() === value ? undefined : 'must not begin or end with a blank';
}

/** A comma-separated list. Blanks around entries are ignored; an empty text is an empty list. */
const list = z
  .string()
  .transform((value) => value.trim())
  .pipe(text)
  .transform((value) =>
    value
      .split(',')
      .map((entry) => entry.trim())
      .filter((entry) => entry !== ''),
  );

/** At most this many invalid entries of a list are reported. */
const MAX_NAMED_ENTRIES = 5;

/**
 * A list whose entries are all checked. The message names each invalid entry and what to change.
 */
export const listOf = (faultOf: (entry: string) => string | undefined, maxEntries = 1_000) =>
  list.superRefine((entries, { addIssue }) => {
    if (entries.length > maxEntries) {
      addIssue(`must have at most ${maxEntries} entries`);
      return;
    }
    const faults = entries.flatMap((entry) => {
      const fault = faultOf(entry);
      return fault === undefined ? [] : [`${JSON.stringify(entry.slice(0, 256))} ${fault}`];
    });
    for (const fault of faults.slice(0, MAX_NAMED_ENTRIES)) addIssue(fault);
  });

export function wholeNumber(min: number, max: number) {
  const message = `must be a whole number from ${min} to ${max}`;
  return text
    .refine((value) => /^\d{1,9}$/.test(value), { message, abort: true })
    .transform(Number)
    .refine((value) => value >= min && value <= max, message);
}

export function oneOf<const Value extends string>(values: readonly Value[]) {
  return text.pipe(
    z.enum(values, {
      error: ({ input }) => `must be one of ${values.join(', ')}.${didYouMean(String(input), values)}`,
    }),
  );
}

export const secret = (name: string) =>
  z
    .string()
    .superRefine((value, context) => {
      const fault = secretFault(value, name);
      if (fault !== undefined) context.addIssue({ code: 'custom', message: fault });
    })
    .optional();

export const secretFile = (what: string) =>
  text.optional().meta({
    description: `A file that holds ${what}. It is read again when it is replaced.`,
    unit: 'path',
  });
