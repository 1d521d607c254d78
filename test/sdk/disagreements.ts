import type { SdkName } from './build-programs.ts';
import type { Question } from './questions.ts';

export type Disagreement = {
  /** Its number in section 2 of the OSS facts, which list where the SDKs disagree. */
  readonly point: number;
  readonly sdks: readonly SdkName[];
  /** Names of the questions that show it. */
  readonly questions: readonly string[];
  readonly difference: string;
  /** The canonical request that these SDKs sign instead of ours; or what they complain of. */
  readonly instead: ((question: Question) => string) | { readonly fault: string };
};

/** All questions on which an SDK and our signer disagree. On every other question they agree. */
export const DISAGREEMENTS: readonly Disagreement[] = [
  {
    point: 1,
    sdks: ['python', 'java'],
    questions: ['hdr-meta-trim', 'hdrauth-put-object'],
    difference: 'blanks around a header value are signed',
    instead: ({ canonicalRequest, job }) =>
      Object.entries(job.headers).reduce(
        (text, [name, value]) =>
          text.replace(`\n${name.toLowerCase()}:${value.trim()}\n`, `\n${name.toLowerCase()}:${value}\n`),
        canonicalRequest,
      ),
  },
  {
    point: 2,
    sdks: ['java'],
    questions: ['header-with-empty-value'],
    difference: 'a header with an empty value is left out',
    instead: ({ canonicalRequest }) => canonicalRequest.replace('x-oss-meta-a:\n', ''),
  },
  {
    point: 3,
    sdks: ['ali-oss'],
    questions: ['query-sort-encoded'],
    difference: 'parameters are sorted by their names before encoding, as people sort words',
    instead: changeLine(2, (query) =>
      query
        .split('&')
        .sort((a, b) => nameOf(a).localeCompare(nameOf(b)))
        .join('&'),
    ),
  },
  {
    point: 4,
    sdks: ['ali-oss'],
    questions: ['parameter-with-empty-text'],
    difference: 'a parameter with an empty text keeps its "="',
    instead: changeLine(2, (query) => query.replace(/^acl&/, 'acl=&')),
  },
  {
    point: 5,
    sdks: ['ali-oss'],
    questions: ['additional-header-not-carried'],
    difference: 'an additional header that the request lacks is an error',
    instead: { fault: "Can't find additional header content-length in request headers." },
  },
  {
    point: 6,
    sdks: ['go'],
    questions: ['additional-header-named-twice'],
    difference: 'an additional header that is named twice is signed twice',
    instead: ({ canonicalRequest }) =>
      canonicalRequest
        .replace('x-oss-additional-headers=abc&', 'x-oss-additional-headers=abc%3Babc&')
        .replace('\nabc\n', '\nabc;abc\n'),
  },
  {
    point: 21,
    sdks: ['go', 'python', 'java', 'ali-oss'],
    questions: [
      'sdk-header-no-x-oss-date',
      'sdk-header-no-x-oss-date-token',
      'sdk-header-no-x-oss-date-additional',
    ],
    difference: 'x-oss-date is sent and signed, where the Android SDK has the Date header only',
    instead: ({ canonicalRequest, job }) => {
      const lines = canonicalRequest.split('\n');
      const headers = [...lines.slice(3, -3), `x-oss-date:${job.signedAt.replaceAll(/[-:]/g, '')}`];
      return [...lines.slice(0, 3), ...headers.sort(), ...lines.slice(-3)].join('\n');
    },
  },
];

export function findDisagreement(sdk: SdkName, { name }: Question): Disagreement | undefined {
  return DISAGREEMENTS.find(({ sdks, questions }) => sdks.includes(sdk) && questions.includes(name));
}

function changeLine(index: number, change: (line: string) => string): (question: Question) => string {
  return ({ canonicalRequest }) =>
    canonicalRequest
      .split('\n')
      .map((line, at) => (at === index ? change(line) : line))
      .join('\n');
}

const nameOf = (parameter: string) => decodeURIComponent(parameter.split('=', 1)[0] ?? '');
