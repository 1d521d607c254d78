import { isMap, isSeq, LineCounter, type Node, type Pair, parseDocument, Scalar, visit } from 'yaml';
import { EnvironmentText, fillPlaceholders } from './placeholders.ts';
import { quote } from './quote.ts';
import { aliasFault, keyText, syntaxFault } from './yaml-faults.ts';

/** One fault of the policy file: its line (from 1), its path, and what to change. */
export type PolicyFault = { readonly line: number; readonly path: string; readonly detail: string };

export type PolicyDocument = {
  /**
   * The file as plain data, with {@link EnvironmentText} for each text with a placeholder;
   * undefined if the file cannot be used.
   */
  readonly content: unknown;
  readonly faults: readonly PolicyFault[];
  /**
   * Makes a fault at a path, with the line of the path or of its nearest parent. Returns undefined
   * for a value whose placeholder could not be replaced, because that fault is reported already.
   */
  readonly faultAt: (
    path: readonly PropertyKey[],
    detail: string,
    about?: 'name' | 'value',
  ) => PolicyFault | undefined;
  /**
   * Returns the text at a path as in the file, with its placeholders; undefined if there is none.
   */
  readonly writtenText: (path: readonly PropertyKey[]) => string | undefined;
  /** Returns the names of the fields at a path, as in the file. */
  readonly writtenKeys: (path: readonly PropertyKey[]) => readonly string[];
};

/**
 * Larger than a policy of 10,000 rules. Bounded because requests wait while a policy is checked.
 */
const MAX_POLICY_LENGTH = 2 * 1024 ** 2;
/**
 * Twice the longest header of OSS; every other text is shorter. Checked before any pattern runs on
 * a text.
 */
const MAX_TEXT_LENGTH = 16_384;

/**
 * Reads YAML, then replaces `${NAME}` by values of the environment. No value can change the
 * structure of the file, because it is parsed first. No content makes it throw. No fault contains a
 * value of the environment.
 */
export function readPolicyDocument(
  source: string,
  env: Readonly<Record<string, string | undefined>>,
): PolicyDocument {
  const lines = new LineCounter();
  const faults: PolicyFault[] = [];
  if (source.length > MAX_POLICY_LENGTH) {
    faults.push({ line: 1, path: '', detail: `is longer than ${MAX_POLICY_LENGTH} characters` });
    return { content: undefined, faults, faultAt, writtenText: () => undefined, writtenKeys: () => [] };
  }
  // Duplicate keys are found below, after placeholders are replaced, with a set.
  const document = parseDocument(source, { lineCounter: lines, uniqueKeys: false });
  const written = new Map<unknown, string>();
  const unfilled = new Set<unknown>();
  let isUsable = true;

  const fault = syntaxFault(source, document);
  if (fault) {
    faults.push({ line: lineAt(fault.offset), path: '', detail: fault.detail });
    return { content: undefined, faults, faultAt, writtenText, writtenKeys };
  }

  try {
    visit(document, {
      Scalar(key, node) {
        if (typeof node.value !== 'string' || !node.value.includes('${')) return;
        const filled = fillPlaceholders(node.value, env);
        if ('faults' in filled) {
          for (const detail of filled.faults)
            faults.push({ line: lineAt(startOf(node) ?? 0), path: '', detail });
          unfilled.add(node);
          return;
        }
        written.set(node, node.value);
        // A key is always a text.
        node.value = key === 'key' ? filled.text : new EnvironmentText(filled.text);
      },
      Alias(_key, node) {
        if (!node.resolve(document)) addFault(node, aliasFault(node));
      },
    });
    visit(document, {
      Map: (_key, { items }) => checkKeys(items),
      Scalar: (_key, node) => checkLength(node),
    });
    if (!isUsable) return { content: undefined, faults, faultAt, writtenText, writtenKeys };
    return { content: document.toJS() ?? {}, faults, faultAt, writtenText, writtenKeys };
  } catch {
    faults.push({
      line: 1,
      path: '',
      detail: 'has aliases ("*name") that cannot be resolved or expand too far',
    });
    return { content: undefined, faults, faultAt, writtenText, writtenKeys };
  }

  function checkKeys(pairs: readonly Pair[]): void {
    const seen = new Set<string>();
    for (const { key } of pairs) {
      const name = keyText(key);
      if (name === undefined) addFault(key, 'has a list or a mapping as the name of a field');
      // The schema's records drop this name silently, and with it a condition of the rule.
      else if (name === '__proto__') addFault(key, '"__proto__" cannot be a name in the policy file');
      else if (seen.has(name)) addFault(key, `${quoteKey(key)} is used twice`);
      seen.add(name ?? '');
    }
  }

  function checkLength(node: Scalar): void {
    const text = node.value instanceof EnvironmentText ? node.value.text : node.value;
    if (typeof text === 'string' && text.length > MAX_TEXT_LENGTH)
      addFault(node, `a text has ${text.length} characters; at most ${MAX_TEXT_LENGTH} are allowed`);
  }

  function quoteKey(key: unknown): string {
    return quote(written.get(key) ?? keyText(key) ?? '');
  }

  function addFault(node: unknown, detail: string): void {
    isUsable = false;
    faults.push({ line: lineAt(startOf(node) ?? 0), path: '', detail });
  }

  function lineAt(offset: number): number {
    return lines.linePos(offset).line;
  }

  /**
   * Returns the nodes along a path, as far as it exists: for each step the key (or element) and the
   * value.
   */
  function nodesAlong(path: readonly PropertyKey[]): { readonly at: unknown; readonly value: unknown }[] {
    const nodes: { at: unknown; value: unknown }[] = [];
    let node: unknown = document.contents;
    for (const step of path) {
      let found: { at: unknown; value: unknown } | undefined;
      if (isSeq(node) && typeof step === 'number') found = { at: node.items[step], value: node.items[step] };
      else if (isMap(node)) {
        const pair = node.items.find(({ key }) => keyText(key) === String(step));
        if (pair) found = { at: pair.key, value: pair.value };
      }
      if (found?.at === undefined) break;
      nodes.push(found);
      node = found.value;
    }
    return nodes;
  }

  function faultAt(
    path: readonly PropertyKey[],
    detail: string,
    about: 'name' | 'value' = 'value',
  ): PolicyFault | undefined {
    const nodes = nodesAlong(path);
    const isUnfilled = nodes.some(
      ({ at, value }) => unfilled.has(at) || (about === 'value' && unfilled.has(value)),
    );
    if (isUnfilled) return undefined;
    const offset = startOf(nodes.at(-1)?.at) ?? startOf(nodes.at(-2)?.at) ?? 0;
    return {
      line: lineAt(offset),
      path: renderPath(
        path,
        nodes.map(({ at }) => written.get(at)),
      ),
      detail,
    };
  }

  function writtenText(path: readonly PropertyKey[]): string | undefined {
    const node = nodesAlong(path)[path.length - 1]?.value;
    if (!(node instanceof Scalar)) return undefined;
    return written.get(node) ?? (typeof node.value === 'string' ? node.value : undefined);
  }

  function writtenKeys(path: readonly PropertyKey[]): readonly string[] {
    const nodes = nodesAlong(path);
    const node = path.length === 0 ? document.contents : nodes[path.length - 1]?.value;
    return isMap(node) ? node.items.map(({ key }) => written.get(key) ?? keyText(key) ?? '') : [];
  }
}

/**
 * Writes a path on one line, such as `rules[0].who.claims["https://example.com/roles"]`. A name
 * keeps its placeholders.
 */
function renderPath(path: readonly PropertyKey[], written: readonly (string | undefined)[]): string {
  return path
    .map((step, index) => {
      if (typeof step === 'number') return `[${step}]`;
      const name = written[index] ?? String(step);
      if (!/^[\w$/~.-]{1,60}$/.test(name)) return `[${quote(name)}]`;
      return index > 0 ? `.${name}` : name;
    })
    .join('');
}

function startOf(node: unknown): number | undefined {
  return (node as Node | undefined)?.range?.[0];
}
