import { ALLOWED, OPENING, WORD_RULES } from './word-list.ts';

export type Finding = {
  /** Counted from 1. */
  readonly line: number;
  /** What stands there. */
  readonly text: string;
  /** What to write instead. */
  readonly write: string;
};

type Sentence = { readonly line: number; readonly text: string };

const MAX_COMMENT_COLUMNS = 100;

const OPENING_ADVICE = 'begin with the subject: who or what does it? Then the verb';

/** The text of a line that is a comment in TypeScript, Go, Java, Python, YAML or a shell; or of the comment behind code. */
const WHOLE_LINE_COMMENT = /^\s*(?:\/\*\*?|\*(?!\/)|\/\/|#(?!!))\s?(.*?)(?:\s*\*\/)?\s*$/;
const COMMENT_BEHIND_CODE = /\s(?:\/\/|#) (.*)$/;

/** A string that is prose: its first word, and at least three more. */
const PROSE_STRING = /(['"`])((?:who|what|whatever|whoever|nobody|of these|one that) (?:(?!\1).)*?)\1/gi;

/**
 * Finds what the word list forbids in a file, in the order of its lines.
 * @param name decides how the file is read: Markdown, or code with comments and strings
 * @param limitsColumns whether comment lines over 100 columns count
 */
export function findWords(name: string, content: string, limitsColumns: boolean): readonly Finding[] {
  const lines = content.split('\n');
  const found = [
    ...lines.flatMap(findInLine),
    ...(name.endsWith('.md') ? markdownSentences(lines) : commentSentences(lines))
      .filter(opensBadly)
      .map(({ line, text }) => ({
        line,
        text: text.split(' ').slice(0, 4).join(' '),
        write: OPENING_ADVICE,
      })),
    ...(name.endsWith('.md') ? [] : lines.flatMap(findBadStrings)),
    ...(limitsColumns ? lines.flatMap(findLongComment) : []),
  ];
  return found.sort((a, b) => a.line - b.line);
}

function findInLine(content: string, index: number): readonly Finding[] {
  const line = withoutAllowed(content);
  return WORD_RULES.flatMap(({ pattern, write }) =>
    [...line.matchAll(pattern)].map(([text]) => ({ line: index + 1, text, write })),
  );
}

/** The line with blanks in place of all allowed texts. */
function withoutAllowed(line: string): string {
  return ALLOWED.reduce((rest, { text }) => rest.replaceAll(text, ' '.repeat(text.length)), line);
}

function findBadStrings(line: string, index: number): readonly Finding[] {
  return [...line.matchAll(PROSE_STRING)]
    .map(([, , text = '']) => text)
    .filter((text) => text.split(' ').length >= 4 && !text.endsWith('?'))
    .map((text) => ({
      line: index + 1,
      text: text.split(' ').slice(0, 4).join(' '),
      write: OPENING_ADVICE,
    }));
}

function findLongComment(line: string, index: number): readonly Finding[] {
  // A web address cannot be broken.
  if (line.length <= MAX_COMMENT_COLUMNS || !WHOLE_LINE_COMMENT.test(line) || line.includes('https://'))
    return [];
  return [{ line: index + 1, text: `${line.length} columns`, write: `at most ${MAX_COMMENT_COLUMNS}` }];
}

/** A question may begin so, and a label in bold type such as "**What to change.**" */
function opensBadly({ text }: Sentence): boolean {
  return OPENING.test(text) && !/^[^.!]*\?/.test(text) && !/^[^.]*[.:]\*\*$/.test(text);
}

/** The sentences of comments. A comment of several lines is one text. */
function commentSentences(lines: readonly string[]): readonly Sentence[] {
  const paragraphs: Sentence[][] = [];
  let isOpen = false;
  for (const [index, content] of lines.entries()) {
    const whole = WHOLE_LINE_COMMENT.exec(content)?.[1];
    const behind = whole === undefined ? COMMENT_BEHIND_CODE.exec(content)?.[1] : undefined;
    const text = whole ?? behind ?? '';
    const sentence = { line: index + 1, text };
    // A tag of a docstring begins a text of its own, of which the tag's name is no part.
    if (text === '') isOpen = false;
    else if (isOpen && whole !== undefined && !text.startsWith('@')) paragraphs.at(-1)?.push(sentence);
    else paragraphs.push([{ ...sentence, text: text.replace(/^@(?:param \S+|[a-z]+) /, '') }]);
    isOpen = whole !== undefined && text !== '' && !content.trimEnd().endsWith('*/');
  }
  return paragraphs.flatMap(sentencesOf);
}

/** The sentences of paragraphs and list items; not of headings, tables and code. */
function markdownSentences(lines: readonly string[]): readonly Sentence[] {
  const paragraphs: Sentence[][] = [];
  let isOpen = false;
  let isCode = false;
  for (const [index, content] of lines.entries()) {
    if (/^\s*```/.test(content)) isCode = !isCode;
    const isText = !isCode && !/^\s*(?:```|#|\||$)/.test(content);
    const beginsItem = /^\s*(?:[-*>]|\d+\.) /.test(content);
    const text = content.trim().replace(/^(?:[-*>]|\d+\.) /, '');
    if (isText && isOpen && !beginsItem) paragraphs.at(-1)?.push({ line: index + 1, text });
    else if (isText) paragraphs.push([{ line: index + 1, text }]);
    isOpen = isText;
  }
  return paragraphs.flatMap(sentencesOf);
}

/** Takes the lines of a paragraph apart into its sentences, each with the line that it begins on. */
function sentencesOf(paragraph: readonly Sentence[]): readonly Sentence[] {
  const text = paragraph.map((line) => line.text).join('\n');
  const starts = [0, ...[...text.matchAll(/[.!?:]\**[ \n]+\**/g)].map((end) => end.index + end[0].length)];
  return starts.map((start, index) => ({
    line: (paragraph[0]?.line ?? 1) + text.slice(0, start).split('\n').length - 1,
    text: text
      .slice(start, starts[index + 1])
      .replaceAll('\n', ' ')
      .trim()
      .replace(/^\**/, ''),
  }));
}
