import type { z } from 'zod';
import { type Fault, MAX_FAULTS, type RequestFaultCode, ServiceError, summarizeFaults } from '../errors.ts';
import { withClosestBounds } from '../text/closest-bounds.ts';
import { cutForLog } from '../text/log-text.ts';
import { didYouMean } from '../text/suggest.ts';

/** A fault. It is described only if the response shows it, because a body can have thousands. */
export type Found = () => Fault;

/** The fields of a request body, which the fault of an unknown field suggests. */
export type KnownFields = {
  readonly fields: readonly string[];
  /** The field that is meant by each of some names that clients send. */
  readonly aliases?: Readonly<Record<string, string>>;
};

/**
 * Returns the body as an object.
 * @throws ServiceError `invalid_request` if it is not a JSON object.
 */
export function requireObject(body: unknown): object {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    throw new ServiceError('invalid_request', 'The body must be a JSON object.');
  }
  return body;
}

/** The error that lists these faults, at most {@link MAX_FAULTS}. */
export function invalidRequest(found: readonly Found[]): ServiceError {
  const errors = found.slice(0, MAX_FAULTS).map((describe) => describe());
  return new ServiceError('invalid_request', summarizeFaults(errors, found.length), { errors });
}

/** Whether something that was thrown rejects a request that is not valid. */
export function isInvalidRequest(thrown: unknown): thrown is ServiceError {
  return thrown instanceof ServiceError && thrown.code === 'invalid_request';
}

/**
 * Lists the faults that a schema found in a body, each by its JSON pointer (RFC 6901). A value of
 * another type has this fault only: Zod compares the length of a list with the bounds of a string.
 */
export function faultsOf(
  issues: readonly z.core.$ZodIssue[],
  body: object,
  known: KnownFields,
): readonly Found[] {
  const ofOtherType = new Set(
    issues.filter(({ code }) => code === 'invalid_type').map(({ path }) => pointerOf(path)),
  );
  return withClosestBounds(issues)
    .filter(({ code, path }) => code === 'invalid_type' || !ofOtherType.has(pointerOf(path)))
    .flatMap((issue) => faultsOfIssue(issue, body, known));
}

function faultsOfIssue(issue: z.core.$ZodIssue, body: object, known: KnownFields): readonly Found[] {
  const fault = (code: RequestFaultCode, predicate: string) => () => ({
    pointer: pointerOf(issue.path),
    code,
    detail: `${labelOf(issue.path)} ${predicate}.`,
  });
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.map((name) => () => unknownField(issue.path, name, known));
    case 'invalid_key':
      return issue.issues.map(({ message }) => fault('invalid_value', message));
    case 'invalid_type':
      return [
        valueAt(issue.path, body) === undefined
          ? fault('required', 'is required')
          : fault('invalid_type', typeFault(issue.expected, valueAt(issue.path, body))),
      ];
    case 'too_big':
      return [
        fault(
          'invalid_value',
          issue.origin === 'string' ? issue.message : `must be at most ${issue.maximum}`,
        ),
      ];
    default:
      return [fault('invalid_value', issue.message)];
  }
}

function unknownField(
  path: readonly PropertyKey[],
  name: string,
  { fields, aliases = {} }: KnownFields,
): Fault {
  const meant = Object.hasOwn(aliases, name) ? aliases[name] : undefined;
  const suggestion = didYouMean(meant ?? name, fields);
  const shown = JSON.stringify(cutForLog(name));
  return {
    pointer: pointerOf([...path, name]),
    code: 'unknown_field',
    detail:
      suggestion === '' ? `Unknown field ${shown}; leave it out.` : `Unknown field ${shown}.${suggestion}`,
  };
}

const TYPE_NAMES: Readonly<Record<string, string>> = {
  string: 'a string',
  int: 'a whole number',
  number: 'a whole number',
  boolean: 'true or false',
  record: 'an object of strings',
  object: 'an object',
  array: 'a list',
};

function typeFault(expected: string, value: unknown): string {
  const isText =
    typeof value === 'string' && (expected === 'int' || expected === 'number' || expected === 'boolean');
  return `must be ${TYPE_NAMES[expected] ?? expected}${isText ? ', not a string' : ''}`;
}

function valueAt(path: readonly PropertyKey[], body: object): unknown {
  return path.reduce<unknown>((value, step) => (value as Record<PropertyKey, unknown>)[step], body);
}

function labelOf(path: readonly PropertyKey[]): string {
  const [field, entry] = path.map(String);
  if (field === undefined) return 'The body';
  if (entry !== undefined && typeof path[1] === 'number') return `${field}[${entry}]`;
  return entry === undefined ? field : `${field} entry ${JSON.stringify(cutForLog(entry))}`;
}

function pointerOf(path: readonly PropertyKey[]): string {
  return path
    .map((step) => `/${cutForLog(String(step)).replaceAll('~', '~0').replaceAll('/', '~1')}`)
    .join('');
}
