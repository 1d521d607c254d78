import { type NewServiceKey, newServiceKey } from '../../service-keys/new-service-key.ts';
import { parseServiceKeys } from '../../service-keys/parse-service-keys.ts';
import { systemErrorCode } from '../../text/system-error.ts';
import { readFault } from '../../text/text-file.ts';
import { CannotRun, type CliContext, type Command } from '../command.ts';
import { writeDocument } from '../output-option.ts';

/** Only the user that creates the file may read it. */
const PRIVATE_FILE = 0o600;

/** `oss-presign keygen`: a private key for upload ids and receipts. */
export const keygenCommand: Command = {
  name: 'keygen',
  summary: 'create the private key for upload ids and receipts',
  description: `Creates a P-256 private key, as a JWK set for SERVICE_KEYS_FILE. The kid of the key is the beginning of its thumbprint
(RFC 7638). With --output, only the current user may read the file. With --add, the key is added at the end of an existing file:
the first key of a file signs, and all of them verify.`,
  options: {
    output: {
      value: 'FILE',
      description: 'Writes to this new file instead of stdout. An existing file is replaced only with --add.',
    },
    add: { description: 'Adds the key at the end of the existing file of --output.' },
  },
  example: 'oss-presign keygen --output service-keys.json',
  exitCodes: { 0: 'printed or written' },
  run: async ({ output, add }, context) => {
    const key = await newServiceKey(context.newPrivateKey());
    const file = output?.[0];
    if (!add) {
      writeDocument(toDocument([key]), { output }, context, PRIVATE_FILE);
    } else if (file === undefined) {
      throw new CannotRun('--add needs --output FILE, the file that the key is added to.');
    } else {
      replace(file, withKey(file, key, context), context);
      context.write('stderr', `Added the key ${key.kid} at the end of ${file}.\n`);
    }
    return 0;
  },
};

function toDocument(keys: readonly NewServiceKey[]): string {
  return `${JSON.stringify({ keys }, null, 2)}\n`;
}

/** @throws CannotRun if the file holds no valid set, or as many keys as are allowed. */
function withKey(file: string, key: NewServiceKey, { readFile }: CliContext): string {
  let text: string;
  try {
    text = readFile(file);
  } catch (error) {
    throw new CannotRun(
      systemErrorCode(error) === 'ENOENT'
        ? `--output ${file} does not exist. Leave --add out to create it.`
        : `--output ${file} ${readFault(error)}.`,
    );
  }
  rejectFaults(file, text);
  const set = JSON.parse(text) as { readonly keys: readonly unknown[] };
  const added = `${JSON.stringify({ ...set, keys: [...set.keys, key] }, null, 2)}\n`;
  rejectFaults(file, added);
  return added;
}

function rejectFaults(file: string, text: string): void {
  const parsed = parseServiceKeys(text);
  if ('faults' in parsed) throw new CannotRun(...parsed.faults.map((fault) => `--output ${file} ${fault}.`));
}

function replace(file: string, text: string, { replaceFile }: CliContext): void {
  try {
    replaceFile(file, text);
  } catch (error) {
    const code = systemErrorCode(error);
    throw new CannotRun(
      code === 'ELOOP'
        ? `--output ${file} is a symbolic link, as in a mounted secret of Kubernetes. Add the key to a copy of the file, and replace the secret.`
        : `--output ${file} cannot be replaced (${code}).`,
    );
  }
}
