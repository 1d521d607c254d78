import { z } from 'zod';
import { MAX_EXPIRES_IN_SECONDS } from '../../storage/limits.ts';
import { parseDurationSeconds, parseSizeBytes } from './quantities.ts';

/** A text that is not empty. */
export const text = z.string().trim().min(1, 'must not be empty');

/** A name that operators give: of a target or a rule. */
export const name = z
  .string()
  .regex(
    /^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/,
    'must be 1–64 letters, digits, "-" or "_", beginning with a letter or digit',
  );

/** A size of at least one byte, as whole bytes. */
export const sizeBytes = z
  .union([z.string(), z.int()])
  .meta({ unit: 'size' })
  .transform((size, context) => {
    const bytes = parseSizeBytes(size);
    if (bytes !== undefined && bytes > 0) return bytes;
    context.addIssue('must be a size greater than 0, such as 500KiB, 50MiB or 1GB');
    return z.NEVER;
  });

/** A duration of 1 s to 7 days, as whole seconds. */
export const durationSeconds = z
  .union([z.string(), z.int()])
  .meta({ unit: 'duration' })
  .transform((duration, context) => {
    const seconds = parseDurationSeconds(duration);
    if (seconds === undefined || seconds < 1) {
      context.addIssue('must be a duration of at least one second, such as 90s, 10m or 1h');
      return z.NEVER;
    }
    if (seconds > MAX_EXPIRES_IN_SECONDS) {
      context.addIssue('must not be longer than 7 days (604800 s)');
      return z.NEVER;
    }
    return seconds;
  });
