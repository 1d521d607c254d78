import type { Callback } from './read-callback.ts';

/** The values of a callback's variables. Numbers are numbers in JSON too. */
export type VariableValues = ReadonlyMap<string, string | number>;

/**
 * Fills in the variables of a callback's body. In a form each value is percent-encoded. In JSON it
 * is a JSON value, with quotes if it is text. A variable without a value is empty text.
 */
export function fillInBody(
  { body, bodyType, variables }: Pick<Callback, 'body' | 'bodyType' | 'variables'>,
  values: VariableValues,
): string {
  const encode =
    bodyType === 'application/json'
      ? (value: string | number) => JSON.stringify(value)
      : (value: string | number) => encodeFormValue(String(value));
  return body.replaceAll(/\$\{([^{}$]*)\}/g, (_text, name: string) =>
    encode((name.startsWith('x:') ? variables.get(name) : values.get(name)) ?? ''),
  );
}

/** Whether a callback's body has a variable whose name begins with that. */
export function usesVariable({ body }: Callback, prefix: string): boolean {
  return body.includes(`\${${prefix}`);
}

function encodeFormValue(text: string): string {
  return encodeURIComponent(text.toWellFormed()).replaceAll(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}
