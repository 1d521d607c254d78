import { systemErrorCode } from '../text/system-error.ts';
import { CannotRun, type CliContext, type CommandOption, type OptionValues } from './command.ts';

/** The option of every command that prints a document. */
export const OUTPUT_OPTION: CommandOption = {
  value: 'FILE',
  description: 'Writes to this new file instead of stdout. An existing file is never replaced.',
};

/**
 * Prints a document, or writes it to the file of `--output` and reports that on stderr.
 * @param mode who may read and write the file; by default what the user's mask allows.
 * @throws CannotRun if the file exists or cannot be written.
 */
export function writeDocument(
  text: string,
  { output }: OptionValues,
  context: CliContext,
  mode?: number,
): void {
  const file = output?.[0];
  if (file === undefined) {
    context.write('stdout', text);
    return;
  }
  try {
    context.writeFile(file, text, mode);
  } catch (error) {
    const code = systemErrorCode(error);
    throw new CannotRun(
      code === 'EEXIST'
        ? `--output ${file} already exists. Remove it first, or choose another name.`
        : `--output ${file} cannot be written (${code}).`,
    );
  }
  context.write('stderr', `Wrote ${file}.\n`);
}
