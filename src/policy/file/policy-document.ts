import { isScalar, LineCounter, parseDocument, visit } from 'yaml';

/** One fault of the policy file: its line (from 1), where it is, and what to change. */
export type PolicyFault = { readonly line: number; readonly path: string; readonly detail: string };

export type PolicyDocument = {
  /** The file as plain data; undefined when it is not usable YAML. */
  readonly content: unknown;
  readonly faults: readonly PolicyFault[];
  /** The line (from 1) where a path stands, or the nearest of its parents. */
  readonly lineOf: (path: readonly PropertyKey[]) => number;
};

/**
 * Reads YAML and puts the environment's values where `${NAME}` stands in a text, after parsing, so that no value can
 * change the file's structure.
 */
export function readPolicyDocument(
  text: string,
  env: Readonly<Record<string, string | undefined>>,
): PolicyDocument {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines });
  const syntaxFaults = [...document.errors, ...document.warnings].map((problem) => ({
    line: lines.linePos(problem.pos[0]).line,
    path: '',
    detail: `is not valid YAML: ${problem.message.split('\n')[0]?.replace(/ at line \d+, column \d+:?$/, '')}`,
  }));
  // What a parser says of a line after the first thing it did not expect helps nobody.
  const faults: PolicyFault[] = syntaxFaults.filter(
    ({ line }, index) => syntaxFaults.findIndex((fault) => fault.line === line) === index,
  );
  if (faults.length > 0) return { content: undefined, faults, lineOf };

  visit(document, {
    Pair(_key, pair) {
      if (keyOf(pair) !== '__proto__') return;
      const line = lines.linePos(startOf(pair.key) ?? 0).line;
      // The schema's records drop it without a word, and with it what a rule demands.
      faults.push({ line, path: '', detail: '"__proto__" cannot be a name in the policy file' });
    },
    Scalar(_key, node) {
      if (typeof node.value !== 'string') return;
      node.value = node.value.replace(/\$\{([^{}]*)\}/g, (placeholder, name: string) => {
        const value = env[name];
        if (value !== undefined && value !== '') return value;
        const line = lines.linePos(node.range?.[0] ?? 0).line;
        faults.push({
          line,
          path: '',
          detail: `${placeholder} names an environment variable that is not set`,
        });
        return placeholder;
      });
    },
  });
  try {
    return { content: document.toJS() ?? {}, faults, lineOf };
  } catch {
    faults.push({
      line: 1,
      path: '',
      detail: 'is not usable YAML: its aliases cannot be resolved or expand too far',
    });
    return { content: undefined, faults, lineOf };
  }

  function lineOf(path: readonly PropertyKey[]): number {
    for (let length = path.length; length > 0; length--) {
      const parent = document.getIn(path.slice(0, length - 1), true);
      const key = path[length - 1];
      const items = (parent as { items?: readonly unknown[] } | undefined)?.items ?? [];
      const item = typeof key === 'number' ? items[key] : items.find((pair) => keyOf(pair) === key);
      const offset = startOf(item) ?? startOf((item as { key?: unknown } | undefined)?.key);
      if (offset !== undefined) return lines.linePos(offset).line;
    }
    return 1;
  }
}

function keyOf(pair: unknown): unknown {
  const key = (pair as { key?: unknown }).key;
  return isScalar(key) ? key.value : key;
}

function startOf(node: unknown): number | undefined {
  return (node as { range?: readonly number[] } | undefined)?.range?.[0];
}
