import { quote, shown } from './quote.ts';

/**
 * A text of the policy file after `${NAME}` was replaced. Its field decides whether it becomes a
 * text, number, boolean or list.
 */
export class EnvironmentText {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

const PLACEHOLDER = /\$\{([^{}]*)(\}?)/g;
const DEFAULT_WITH_BRACE = /^[A-Za-z_][A-Za-z0-9_]*:-/;
const NAME_AND_DEFAULT = /^([A-Za-z_][A-Za-z0-9_]*)(?::-(.*))?$/s;

/**
 * Replaces each `${NAME}` and `${NAME:-default}` by the value of that environment variable. For an
 * unset or empty variable, it uses the default, as a shell does. Placeholders within values are not
 * replaced.
 * @returns the text, or the faults, one sentence each, which never contain a value.
 */
export function fillPlaceholders(
  source: string,
  env: Readonly<Record<string, string | undefined>>,
): { readonly text: string } | { readonly faults: readonly string[] } {
  const faults: string[] = [];
  const text = source.replaceAll(PLACEHOLDER, (placeholder, inside: string, end: string) => {
    const [, name, defaultValue] = (end && NAME_AND_DEFAULT.exec(inside)) || [];
    if (name === undefined) {
      const what = quote(placeholder);
      faults.push(
        end === '' && DEFAULT_WITH_BRACE.test(inside)
          ? `${what} has a default that holds a brace or does not end; a default must not contain "{" or "}"`
          : `${what} is not a placeholder; write \${NAME} or \${NAME:-default}`,
      );
      return '';
    }
    const value = Object.hasOwn(env, name) ? env[name] : undefined;
    if (value !== undefined && value !== '') return value;
    if (defaultValue === undefined)
      faults.push(`${shown(placeholder)} names an environment variable that is not set`);
    return defaultValue ?? '';
  });
  return faults.length > 0 ? { faults } : { text };
}
