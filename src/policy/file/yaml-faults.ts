import { type Alias, type Document, isScalar, Lexer, type YAMLError } from 'yaml';
import { quote, shown } from './quote.ts';

/** The offset within the file, and what to change. */
export type SyntaxFault = { readonly offset: number; readonly detail: string };

/**
 * Our messages for the errors that the parser's code identifies. Other errors keep the parser's
 * message.
 */
const REMEDIES: Readonly<Partial<Record<YAMLError['code'], string>>> = {
  TAB_AS_INDENT: 'use spaces, not a tab',
  MULTIPLE_DOCS: 'a second YAML document begins here; remove the "---"',
  TAG_RESOLVE_FAILED: 'YAML tags are not supported; put quotes around text that begins with "!"',
  BAD_SCALAR_START: 'put quotes around this text; it begins with a character that YAML reserves',
  RESOURCE_EXHAUSTION: 'is not valid YAML: brackets or lists are nested too deeply',
  BAD_ALIAS: 'put quotes around text that begins with "*"; without quotes, YAML takes it for a reference',
  BAD_DQ_ESCAPE: 'invalid escape in double quotes; write "\\\\" for a backslash, or use single quotes',
  BLOCK_AS_IMPLICIT_KEY: 'put quotes around text that holds ": ", and indent all fields of a mapping alike',
  MULTILINE_IMPLICIT_KEY: 'is not valid YAML: expected "field: value" on this line',
  BAD_INDENT: 'is not valid YAML: wrong indentation, or a bracket that is not closed before this line',
};

/**
 * Finds the first fault in the syntax of a file. Further faults of a parser follow from the first
 * one.
 * @returns undefined if the parser has none.
 */
export function syntaxFault(source: string, { errors, warnings }: Document.Parsed): SyntaxFault | undefined {
  const [first] = [...errors, ...warnings].sort((a, b) => a.pos[0] - b.pos[0]);
  if (!first) return undefined;
  const unquoted = unquotedBrace(source);
  if (unquoted && lineStart(source, unquoted.offset) <= first.pos[0]) return unquoted;
  // A tab after a wrong token is more likely the cause.
  const line = source.slice(lineStart(source, first.pos[0])).split('\n', 1)[0] ?? '';
  const isTab = /^ *\t/.test(line) || source[first.pos[0]] === '\t';
  const isOpenQuote = first.code === 'MISSING_CHAR' && first.message.startsWith('Missing closing');
  if (isOpenQuote && !isTab) {
    return {
      offset: lastQuote(source, first.pos[0]),
      detail: 'is not valid YAML: a quotation mark on this line is not closed',
    };
  }
  const detail = isTab ? REMEDIES.TAB_AS_INDENT : (remedyOf(first.message) ?? REMEDIES[first.code]);
  return { offset: first.pos[0], detail: detail ?? `is not valid YAML: ${firstSentence(first.message)}` };
}

/** Our messages for two errors that share their code with others. */
function remedyOf(message: string): string | undefined {
  if (message.startsWith('Sequence item without -'))
    return 'is not valid YAML: wrong indentation, or a "-" is missing';
  if (/^Unexpected \S+ at node end/.test(message))
    return 'is not valid YAML: text follows a value that has ended; put quotes around the whole value';
  return undefined;
}

/**
 * Returns where the last quoted text before `end` begins. The parser notices a missing quotation
 * mark only at the end of the file or block.
 */
function lastQuote(source: string, end: number): number {
  let offset = 0;
  let last = end;
  for (const token of new Lexer().lex(source)) {
    if (offset >= end) break;
    if (token === '\u0002' || token === '\u0018' || token === '\u001f') continue;
    if (/^["']/.test(token)) last = offset;
    offset += token.length;
  }
  return last;
}

/** Returns the fault of an alias without an anchor, such as an unquoted `*`. */
export function aliasFault({ source }: Alias): string {
  return `put quotes around ${quote(`*${source}`)}; without quotes, YAML takes it for a reference`;
}

/** Returns a key as text; undefined for a key that is a list or a mapping. */
export function keyText(key: unknown): string | undefined {
  if (typeof key === 'string') return key;
  return isScalar(key) && key.value !== undefined ? String(key.value) : undefined;
}

/**
 * Finds the first unquoted text that a `{` interrupts, such as `${NAME}` or `users/{sub}/` within
 * `{ }` or `[ ]`. YAML reads the brace there as the start of a mapping. Outside of brackets, this
 * affects only a text that begins with the brace, such as `prefix: {sub}/`.
 */
function unquotedBrace(source: string): SyntaxFault | undefined {
  let offset = 0;
  let depth = 0;
  let previous = '';
  let isAfterScalar = false;
  let closedAt = -1;
  for (const token of new Lexer().lex(source)) {
    // Tokens that mark documents and scalars are control characters, which the source does not
    // contain.
    if (token === '\u0002' || token === '\u0018' || token === '\u001f') {
      if (token === '\u001f' && depth === 0 && closedAt === offset && previous === '}') {
        return {
          offset,
          detail: 'put quotes around text that begins with "{", such as "{sub}/"',
        };
      }
      isAfterScalar = token === '\u001f';
      continue;
    }
    if (token === '{' && depth > 0 && /[^\s,:[\]{}"']$/.test(previous)) {
      const name = /^[^{}[\],\n]*\}?/.exec(source.slice(offset + 1))?.[0] ?? '';
      const text = `${previous}{${name}`;
      return { offset, detail: `put quotes around ${shown(text)} within { } and [ ]` };
    }
    const isFlowToken = !isAfterScalar;
    if (isFlowToken && (token === '{' || token === '[')) depth++;
    if (isFlowToken && (token === '}' || token === ']')) {
      depth = Math.max(0, depth - 1);
      if (depth === 0) closedAt = offset + token.length;
    }
    previous = token;
    isAfterScalar = false;
    offset += token.length;
  }
  return undefined;
}

function lineStart(source: string, offset: number): number {
  return source.lastIndexOf('\n', offset - 1) + 1;
}

function firstSentence(message: string): string {
  return shown((message.split('\n')[0] ?? '').replace(/ at line \d+, column \d+:?$/, ''));
}
