import { type Header, header, headerName } from './signing/canonical-headers.ts';

export type FormField = { readonly name: string; readonly value: string };

/**
 * The headers of PutObject that a form can carry, in lower case; `x-oss-meta-…` come in addition.
 * Source: OSS PostObject, form fields.
 */
const FORM_HEADERS: ReadonlySet<string> = new Set([
  'cache-control',
  'content-disposition',
  'content-encoding',
  'content-type',
  'expires',
  'x-oss-forbid-overwrite',
  'x-oss-object-acl',
  'x-oss-server-side-encryption',
  'x-oss-server-side-encryption-key-id',
  'x-oss-storage-class',
]);

/**
 * Bound unless the rule sets them, because the client could choose them otherwise. The ACL
 * `default` is that of the bucket. No storage class has such a meaning, so forms have `Standard`.
 */
const DEFAULT_HEADERS = [
  header(headerName('x-oss-object-acl'), 'default'),
  header(headerName('x-oss-storage-class'), 'Standard'),
];

/** Without it, OSS responds with 204. A client can expect 200 for every transfer. */
const SUCCESS_STATUS: FormField = { name: 'success_action_status', value: '200' };

/**
 * The field instead of Content-Type. OSS prefers it to the type that browsers write into the part
 * of the file.
 */
const TYPE_FIELD = 'x-oss-content-type';

/** Reports whether a form can carry a header of PutObject. The header is in any case. */
export function isFormHeader(header: string): boolean {
  const name = header.toLowerCase();
  return FORM_HEADERS.has(name) || name.startsWith('x-oss-meta-');
}

/**
 * Prepares the fields of forms that have headers in common. The result returns the fields for the
 * headers of one upload.
 * @throws TypeError (the result) for a header that a form cannot carry.
 */
export function prepareFormFields(
  common: readonly Header[],
): (headers: readonly Header[]) => readonly FormField[] {
  const names = common.map(({ name }) => name.lowerCase);
  const prepared = new Map(
    common.filter(({ name }) => isFormHeader(name.lowerCase)).map((one) => [one, fieldOf(one)]),
  );
  const defaults = [
    SUCCESS_STATUS,
    ...DEFAULT_HEADERS.filter(({ name }) => !names.includes(name.lowerCase)).map(fieldOf),
  ];
  return (headers) => [...headers.map((one) => prepared.get(one) ?? fieldOf(one)), ...defaults];
}

/**
 * Returns fields as a form sends them, by name.
 * @throws TypeError for a name that occurs twice, in any case.
 */
export function fieldRecord(fields: readonly FormField[]): Readonly<Record<string, string>> {
  const names = new Set<string>();
  const record: Record<string, string> = {};
  for (const { name, value } of fields) {
    if (names.has(name.toLowerCase())) throw new TypeError(`the field ${name} is duplicated`);
    names.add(name.toLowerCase());
    record[name] = value;
  }
  return record;
}

function fieldOf({ name, value }: Header): FormField {
  if (!isFormHeader(name.lowerCase)) throw new TypeError(`a form cannot carry ${name.lowerCase}`);
  return { name: name.lowerCase === 'content-type' ? TYPE_FIELD : name.spelling, value: value.trim() };
}
