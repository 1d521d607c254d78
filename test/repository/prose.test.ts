import { expect, it } from 'vitest';
import { findWords } from '../../.ci/prose/find-words.ts';
import { ALLOWED, WORD_RULES } from '../../.ci/prose/word-list.ts';

const wordsIn = (name: string, content: string) =>
  findWords(name, content, false).map(({ line, text }) => `${line}: ${text}`);

it.each([
  ['// The log is told of it.', ['1: told']],
  ['const toldErrors = tellAll();', ['1: told', '1: tell']],
  ['type UploadAnswer = 1;', ['1: Answer']],
  ['const ANSWER_BUCKETS = isRefused;', ['1: ANSWER', '1: Refused']],
  ["it('denies it, for else it would be copied to the copies')", ['1: for else', '1: copies']],
  ['// It retries anew. The name stands twice.', ['1: anew', '1: stands twice']],
  ['// as the page says', ['1: says']],
  ['// each copy of the service', ['1: each copy']],
  ['// a proxy or balancer', ['1: balancer']],
])('finds the words in text and names: %s', (content, expected) => {
  expect(wordsIn('a.ts', content)).toStrictEqual(expected);
});

it.each([
  'const intelligent = foretold + retelling + stagecoach + Hammerfest;',
  '// connection refused (ECONNREFUSED)',
  'metric{result="refused"} reload(\'refused\') oss_presign_policy_file_refused',
  '// A dot, as RFC 7515 7.1 says.',
  '// as the specification says',
  '// the load balancer',
  '// Copy the file; there is no room for more.',
])('leaves other words and allowed texts alone: %s', (content) => {
  expect(wordsIn('a.ts', content)).toStrictEqual([]);
});

it.each([
  ['a.ts', '/** What it does. */', ['1: What it does.']],
  ['a.ts', 'run(); // Who asks for it', ['1: Who asks', '1: Who asks for it']],
  ['a.ts', '/**\n * Signs it. Of\n * these, none is read.\n */', ['2: Of these, none is']],
  [
    'a.ts',
    '/** @param key what it is */\n/**\n * @returns What is left over.\n */',
    ['3: What is left over.'],
  ],
  ['a.ts', "it('what is left out is closed')", ['1: what is left out']],
  ['a.py', '# Nobody reads it', ['1: Nobody', '1: Nobody reads it']],
  ['a.md', 'It signs.\nWhat it signs\nis a text.', ['2: What it signs is']],
  ['a.md', '- Once. **Who calls it**', ['1: Who calls it**']],
])('finds sentences that begin without a subject: %s %j', (name, content, expected) => {
  expect(wordsIn(name, content)).toStrictEqual(expected);
});

it.each([
  ['a.md', '## What it is\n\n```\nWhat this code does is code.\n```\n\n| What | Who is it |'],
  ['a.md', '**What to change.** Set the region.'],
  ['a.md', 'What happens if it fails? The service stops.'],
  ['a.ts', "const one = 'what';\n// It knows what it signs."],
])('leaves headings, tables, code, labels and questions alone: %s %j', (name, content) => {
  expect(wordsIn(name, content)).toStrictEqual([]);
});

it('finds comment lines over 100 columns, but not where a web address makes them long', () => {
  const long = [
    '// '.padEnd(101, 'x'),
    '// '.padEnd(100, 'x'),
    `// https://${'x'.repeat(99)}`,
    'x'.repeat(101),
  ];
  expect(findWords('a.ts', long.join('\n'), true)).toStrictEqual([
    { line: 1, text: '101 columns', write: 'at most 100' },
  ]);
  expect(findWords('a.ts', long.join('\n'), false)).toStrictEqual([]);
});

it.each(ALLOWED)('the allowed text $text holds a word of the list and has a reason', ({ text, reason }) => {
  expect(WORD_RULES.filter(({ pattern }) => text.search(pattern) !== -1)).not.toStrictEqual([]);
  expect(reason).not.toBe('');
});
