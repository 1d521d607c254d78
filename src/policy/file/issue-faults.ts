import type { z } from 'zod';
import { closestName, mistypedName } from '../../text/suggest.ts';
import { fieldsAt, placesOf } from './schema-walk.ts';

type Issue = z.core.$ZodIssue;

/**
 * Reports one fault: its path, the end of a sentence that begins with that path, and whether the
 * fault is about the value there (the default).
 */
export type ReportFault = (path: readonly PropertyKey[], detail: string, about?: 'name' | 'value') => void;

/** The words for an expected type, for a message about a value of another type. */
const TYPE_NAMES: Readonly<Record<string, string>> = {
  string: 'text',
  number: 'a whole number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a mapping',
  record: 'a mapping',
};

/** An example for each field whose type is easily mistaken. */
const EXAMPLES: Readonly<Record<string, string>> = {
  issuers: '- issuer: https://login.example.com/',
  targets: 'media: { bucket: acme-media, region: cn-hangzhou }',
  rules: '- name: own-files',
  audience: 'uploads or [uploads, photos]',
  algorithms: '[RS256, ES256]',
  who: '{ scope: uploads:write }',
  scope: 'uploads:write or [uploads:read, uploads:write]',
  claims: '{ role: [member, admin] }',
  actions: '[upload, download]',
  transfers: '[put, form, multipart]',
  partSize: '8MiB',
  uploadExpiresIn: '7d',
  contentTypes: '[image/*, application/pdf]',
  maxSize: '50MiB',
  expiresIn: '15m or { default: 10m, max: 1h }',
  default: '10m',
  max: '1h',
  metadata: '{ allowed: [album], required: [] }',
  allowed: '[album, camera]',
  required: '[album]',
  clientHeaders: '[cacheControl]',
  headers: '{ Content-Disposition: attachment }',
  notify: '{ url: https://app.example.com/hooks/uploads, secretEnv: HOOK_SECRET }',
  timeout: '3s',
  limits: '{ requestsPerMinute: 60, bytesPerDay: 5GiB }',
  requestsPerMinute: '60',
  bytesPerDay: '5GiB',
  sharesPrefixWith: '[other-rule]',
};

/** Comparing many thousands of unknown names with the known ones would take seconds. */
const MAX_UNKNOWN_FIELDS = 100;

/** Longer lists are found in policy.example.yaml. */
const MAX_LISTED_FIELDS = 6;

/** Marks a union's own issue, whose message comes from the closest of its options. */
const UNION = '';

/**
 * Returns the message of every issue that a schema does not describe itself. An operator never sees
 * zod's own messages.
 */
export const describeIssue: z.core.$ZodErrorMap = (issue) => {
  switch (issue.code) {
    case 'invalid_type':
      if (issue.input === undefined) return 'is missing';
      if (issue.input === null) return 'has no value';
      if (
        issue.expected === 'string' &&
        (typeof issue.input === 'number' || typeof issue.input === 'boolean')
      )
        return 'must be text; put quotes around it';
      if (typeof issue.input === 'string' && isQuoted(issue.input, issue.expected))
        return `must be ${TYPE_NAMES[issue.expected]} without quotes`;
      return `must be ${TYPE_NAMES[issue.expected] ?? 'of another type'}`;
    case 'invalid_value': {
      if (issue.input === undefined) return 'is missing';
      if (issue.input === null) return 'has no value';
      const values = issue.values.map(String);
      const closest = typeof issue.input === 'string' ? closestName(issue.input, values) : undefined;
      const hint = closest === undefined ? '' : `; did you mean "${closest}"?`;
      return `must be ${values.length > 1 ? 'one of ' : ''}${values.join(', ')}${hint}`;
    }
    case 'too_small':
      return issue.origin === 'number' || issue.origin === 'int'
        ? `must be at least ${issue.minimum}`
        : 'must not be empty';
    case 'too_big':
      if (issue.origin === 'number' || issue.origin === 'int') return `must be at most ${issue.maximum}`;
      return issue.origin === 'string'
        ? `is longer than ${issue.maximum} characters`
        : `must not have more than ${issue.maximum} entries`;
    case 'invalid_union':
      return UNION;
    default:
      return 'is not valid';
  }
};

/** Whether a text would be of the expected type without its quotes. */
function isQuoted(text: string, expected: string): boolean {
  if (expected === 'boolean') return text === 'true' || text === 'false';
  return (expected === 'number' || expected === 'int') && /^\d+$/.test(text);
}

/**
 * Reports an issue of a schema as faults: one for each unknown field, and for a union those of the
 * closest option.
 * @param writtenText the text of a field as the file has it.
 */
export function reportIssue(
  issue: Issue,
  schema: z.core.$ZodType,
  writtenText: (path: readonly PropertyKey[]) => string | undefined,
  report: ReportFault,
): void {
  const { path } = issue;
  if (issue.code === 'unrecognized_keys') {
    for (const key of issue.keys.slice(0, MAX_UNKNOWN_FIELDS))
      report([...path, key], unknownField(path, key, schema), 'name');
    const more = issue.keys.length - MAX_UNKNOWN_FIELDS;
    if (more > 0) report(path, `has ${more} more unknown fields`);
  } else if (issue.code === 'invalid_key') {
    for (const inner of issue.issues) report(path, `as a name ${inner.message}`);
  } else if (issue.code === 'invalid_union' && issue.message === UNION) {
    const option = issue.errors.find((issues) => issues.length > 0 && !issues.some(isTypeMismatch));
    if (!option) report(path, withExample(unionMismatch(issue), path, writtenText));
    for (const inner of option ?? []) {
      reportIssue({ ...inner, path: [...path, ...inner.path] }, schema, writtenText, report);
    }
  } else if (issue.code === 'invalid_type') {
    report(path, withExample(issue.message, path, writtenText));
  } else {
    report(path, issue.message);
  }
}

/** Whether an option of a union does not apply, because the value is of another type. */
function isTypeMismatch(issue: Issue): boolean {
  if (issue.path.length > 0) return false;
  return (
    issue.code === 'invalid_type' ||
    (issue.code === 'invalid_union' && issue.errors.every((issues) => issues.some(isTypeMismatch)))
  );
}

function unionMismatch(issue: Issue): string {
  const mismatches = typeMismatches(issue);
  const messages = new Set(mismatches.map(({ message }) => message));
  const [first] = messages;
  if (messages.size === 1 && first !== undefined) return first;
  const types = [...new Set(mismatches.map(({ expected }) => TYPE_NAMES[expected] ?? 'something else'))];
  return `must be ${types.join(' or ')}`;
}

function typeMismatches(issue: Issue): readonly Extract<Issue, { code: 'invalid_type' }>[] {
  if (issue.code === 'invalid_type') return [issue];
  return issue.code === 'invalid_union' ? issue.errors.flat().flatMap(typeMismatches) : [];
}

function withExample(
  message: string,
  path: readonly PropertyKey[],
  writtenText: (path: readonly PropertyKey[]) => string | undefined,
): string {
  if (path.length === 0) return 'must be a mapping with the fields issuers, targets and rules';
  if (!message.startsWith('must be ')) return message;
  if (path.at(-2) === 'claims')
    return 'must be a value or a list of values; write a nested claim as a JSON pointer, such as /realm_access/roles: [uploader]';
  const field = String(path.at(-1));
  const text = writtenText(path);
  // The operator's own value shows best what a list of one entry looks like.
  if (message === 'must be a list' && text !== undefined && /^[\w./*+-]{1,40}$/.test(text))
    return `${message}, such as [${text}]`;
  return Object.hasOwn(EXAMPLES, field) ? `${message}, such as ${EXAMPLES[field]}` : message;
}

function unknownField(path: readonly PropertyKey[], field: string, schema: z.core.$ZodType): string {
  const fields = [...(fieldsAt(schema, path) ?? [])];
  const [place] = placesOf(field, schema);
  // A field that exists elsewhere is misplaced rather than cut.
  const closest = place === undefined ? closestName(field, fields) : mistypedName(field, fields);
  if (closest !== undefined) return `is not a field of the policy file; did you mean "${closest}"?`;
  if (place !== undefined)
    return `is not a field here; it belongs ${place === '' ? 'at the top level' : `to ${place}`}`;
  if (path.at(-1) === 'who')
    return 'is not a field of the policy file; write the name and values of a claim below claims';
  const list =
    fields.length > 0 && fields.length <= MAX_LISTED_FIELDS ? `; possible here: ${fields.join(', ')}` : '';
  return `is not a field of the policy file${list}`;
}
