/** A word or phrase that this project does not use. */
export type WordRule = {
  /** Matches the word where it is not part of another word. Has the flag `g`. */
  readonly pattern: RegExp;
  /** What to write instead. */
  readonly write: string;
};

/**
 * A pattern for words: alone, or as a part of an identifier in camel case or upper case. The word
 * `answer` is found in `answer`, `uploadAnswer` and `ANSWER_BUCKETS`; `tell` is not in `intelligent`.
 * @param list words in lower case, separated by blanks
 */
function words(list: string): RegExp {
  const lower = list.replaceAll(' ', '|');
  const capitalized = list.replace(/\b[a-z]/g, (letter) => letter.toUpperCase()).replaceAll(' ', '|');
  const upper = lower.toUpperCase();
  return new RegExp(
    `(?<![A-Za-z])(?:${lower})(?![a-z])|(?<![A-Z])(?:${capitalized})(?![a-z])|(?<![A-Za-z])(?:${upper})(?![A-Za-z])`,
    'g',
  );
}

/** Words and phrases that are wrong wherever they stand: text, titles, names. */
export const WORD_RULES: readonly WordRule[] = [
  {
    pattern: words('told tell tells telling'),
    write: 'log, record, report, return or count; to tell apart: distinguish',
  },
  {
    // A specification may say something.
    pattern: /(?<!\b(?:RFC \d+[ \d.§]*|specification|documentation|standard) )\b[Ss](?:ays|aid)\b/g,
    write: 'returns, logs, reports, states, names or defines',
  },
  { pattern: words('anew'), write: 'restart, retry, reload, renew, or "again"' },
  {
    pattern: /\b(?:for|which|would|that|who|and|could|must|may|will|is) else\b/gi,
    write: '"otherwise", or "if not"',
  },
  { pattern: /\bstands? twice\b/gi, write: 'is duplicated' },
  { pattern: words('nobody'), write: 'no caller, no one, or name the actor: "no process reads it"' },
  { pattern: words('whoever whosoever'), write: 'name the actor: the caller, the client, the operator' },
  { pattern: /\b(?:is|are|was|were|be) (?:not )?to be had\b|\bto be had\b/gi, write: 'is available' },
  { pattern: /\band the like\b|\bthe like\b(?= ?[.,;:)]|$)/gi, write: '"such as", or the full list' },
  { pattern: words('mend mends mended mending'), write: 'fix' },
  { pattern: /\bin force\b/gi, write: 'active; of a policy: "the active policy"' },
  { pattern: words('judge judges judged judging'), write: 'check, evaluate, verify or compare' },
  { pattern: words('hammer hammers hammered hammering'), write: 'load; the program: load generator' },
  { pattern: words('backstage stage stages'), write: 'environment, setup or servers' },
  { pattern: words('workshop workshops'), write: 'setup, or what the file does' },
  { pattern: words('besiege besieges besieged'), write: 'poll or call in a loop' },
  {
    pattern:
      /\brooms\b|\brooms?(?=[A-Z])|(?<!\b(?:no|more|much|have|has|had|make|makes|is|leaves) )\broom\b(?! (?:for|left|on|in)\b)/gi,
    write: 'folder, space or limit',
  },
  { pattern: /\b(?:asker|askers|who asks|who ask)\b/gi, write: 'the caller or the client' },
  { pattern: /\bturn(?:s|ed)? (?:it |them )?away\b/gi, write: 'reject' },
  { pattern: words('answer answers answered answering'), write: 'response, respond, return, serve' },
  {
    pattern: words('refuse refuses refused refusing refusal refusals'),
    write: 'deny (the policy does not allow it: 403) or reject (everything else)',
  },
  { pattern: words('copies'), write: 'replicas (running processes)' },
  {
    pattern: /\b(?:each|every|one|another|other|which|per|any) copy\b/gi,
    write: 'replica (a running process)',
  },
  { pattern: words('beside'), write: 'next to, besides, or "as well as"' },
  { pattern: /\bcloud keys?\b/gi, write: 'access key' },
  { pattern: /(?<![Ll]oad[- ])\b[Bb]alancers?\b/g, write: 'load balancer' },
];

/** An exact text in which the words are right, and why. */
export type Allowed = { readonly text: string; readonly reason: string };

/** Exact texts in which the words are right. */
export const ALLOWED: readonly Allowed[] = [
  { text: 'connection refused', reason: 'the text of the operating system' },
  { text: 'Connection refused', reason: 'the text of the operating system' },
  { text: 'refused the connection', reason: 'the term of the operating system for ECONNREFUSED' },
  { text: 'refused the connection', reason: 'a TCP connection, as the operating system reports it' },
  { text: 'policy_file_refused', reason: 'part of a metric name, which users query' },
  { text: 'PolicyFileRefused', reason: 'part of the name of an alert, which users route' },
  { text: 'oss_presign_refusals_total', reason: 'a metric name, which users query' },
  { text: 'RefusalsJump', reason: 'part of the name of an alert, which users route' },
  { text: 'result="refused"', reason: 'a label value of a metric, which users query' },
  { text: "'refused'", reason: 'a label value of a metric, which users query' },
  { text: 'refusedVersion', reason: 'a field of the log, which users query' },
  { text: '`UploadAnswer`', reason: 'an old name that the changelog replaces' },
  { text: '`PolicyAnswer`', reason: 'an old name that the changelog replaces' },
  { text: '`PRESIGN_COPIES`', reason: 'an old name that the changelog replaces' },
  { text: '`"refused"`', reason: 'an old value that the changelog replaces' },
  { text: '`answered`', reason: 'an old log message that the changelog replaces' },
  { text: '&stage=', reason: 'an object tag that a user may set' },
];

/**
 * How a sentence of a comment or a document must not begin: the reader learns the subject only at
 * its end. A question may begin so.
 */
export const OPENING = /^(?:Who|What|Whatever|Whoever|Nobody|Of these|One that)\b/;
