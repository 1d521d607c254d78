import { z } from 'zod';
import { isBlockedPort, webAddressFault } from '../../net/web-address.ts';
import { decodeBase64 } from '../../text/base64.ts';
import { EASY_TO_GUESS, isEasyToGuess, secretTextFault } from './issuer-secret.ts';
import { parseDurationSeconds } from './quantities.ts';
import { text } from './schema-parts.ts';

/** Callers wait for the response of the receiver. */
const MAX_TIMEOUT_SECONDS = 10;

const MAX_URL_LENGTH = 2048;

/** Of a secret, by Standard Webhooks. */
const MIN_SECRET_BYTES = 24;
const MAX_SECRET_BYTES = 64;

/** A rotation needs two. Each adds a signature to every notification. */
const MAX_SECRETS = 4;

const PREFIX = 'whsec_';

/** The receiver of the notifications of a rule. `parse-policy.ts` reads its secrets. */
export const notifySchema = z
  .strictObject({
    url: z
      .string()
      .max(MAX_URL_LENGTH)
      .meta({ description: 'Where notifications are sent. Its host is logged, its path never.' }),
    secretEnv: text.optional().meta({
      description:
        'The environment variable with the secret: `whsec_` and base64 of 24–64 bytes. Several are separated by blanks.',
    }),
    secretFile: text.optional().meta({
      description: 'A file with the secret, instead. It is read again when it is replaced.',
    }),
    timeout: z
      .union([z.string().max(20), z.int()])
      .default('3s')
      .meta({ unit: 'duration' })
      .transform((duration, context) => {
        const seconds = parseDurationSeconds(duration);
        if (seconds !== undefined && seconds >= 1 && seconds <= MAX_TIMEOUT_SECONDS) return seconds;
        context.addIssue(`must be a duration from 1s to ${MAX_TIMEOUT_SECONDS}s, such as 3s`);
        return z.NEVER;
      })
      .meta({ description: 'How long the receiver may take to respond, 1s to 10s. By default 3s.' }),
    insecureHttp: z
      .boolean()
      .default(false)
      .meta({ description: 'Allows plain http to hosts that are neither local nor private.' }),
  })
  .superRefine((entry, context) => {
    const { url, secretEnv, secretFile } = entry;
    const addressFault = webAddressFault(url, entry);
    if (addressFault) context.addIssue({ code: 'custom', path: ['url'], message: addressFault });
    else if (isBlockedPort(url))
      context.addIssue({
        code: 'custom',
        path: ['url'],
        message: 'has a port that is reserved for another protocol, so it cannot be called; use another port',
      });
    if (secretEnv !== undefined && secretFile !== undefined)
      context.addIssue('has secretEnv and secretFile; only one of them may be set');
    if (secretEnv === undefined && secretFile === undefined)
      context.addIssue('has no secret; set secretEnv or secretFile');
  });

/**
 * Returns the bytes of the secrets that sign notifications, in their order. Source: Standard
 * Webhooks, "Signature scheme".
 * @param source has secrets separated by blanks.
 * @param subject begins the sentence of a fault, such as `names HOOK_SECRET, which`.
 * @returns the secrets, or the fault, which never contains a secret.
 */
export function decodeNotifySecrets(source: string, subject: string): readonly Uint8Array[] | string {
  const fault = secretTextFault(source, subject);
  if (fault !== undefined) return fault;
  const texts = source.split(/ +/);
  if (texts.length > MAX_SECRETS) return `${subject} holds more than ${MAX_SECRETS} secrets`;
  if (new Set(texts).size < texts.length) return `${subject} holds a secret twice`;
  const secrets: Uint8Array[] = [];
  for (const one of texts) {
    if (!one.startsWith(PREFIX)) return `${subject} holds a secret that does not begin with ${PREFIX}`;
    const bytes = decodeBase64(one.slice(PREFIX.length), 'base64');
    if (!bytes) return `${subject} holds a secret that is not base64 after ${PREFIX}`;
    if (bytes.length < MIN_SECRET_BYTES || bytes.length > MAX_SECRET_BYTES)
      return `${subject} holds a secret of ${bytes.length} bytes once decoded; it must have ${MIN_SECRET_BYTES} to ${MAX_SECRET_BYTES}`;
    if (isEasyToGuess(bytes)) return `${subject} holds a secret that ${EASY_TO_GUESS}`;
    secrets.push(bytes);
  }
  return secrets;
}
