import { METADATA_PREFIX } from './object-headers.ts';
import { type Header, header, headerName } from './signing/canonical-headers.ts';

export type FormField = { readonly name: string; readonly value: string };

/**
 * The fields for the headers of PutObject that a form can carry, as OSS spells them;
 * `x-oss-meta-…` come in addition. OSS's pages disagree whether letter case matters, and prefer
 * `x-oss-content-type` to the type that browsers write into the part of the file. Source: OSS
 * PostObject, form fields.
 */
const FIELDS_BY_HEADER: ReadonlyMap<string, string> = new Map(
  [
    ...['Cache-Control', 'Content-Disposition', 'Content-Encoding', 'Expires'],
    ...['x-oss-forbid-overwrite', 'x-oss-object-acl', 'x-oss-storage-class'],
    ...['x-oss-server-side-encryption', 'x-oss-server-side-encryption-key-id'],
  ]
    .map((field): [string, string] => [field.toLowerCase(), field])
    .concat([['content-type', 'x-oss-content-type']]),
);

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

/** Reports whether a form can carry a header of PutObject. The header is in any case. */
export function isFormHeader(header: string): boolean {
  return fieldName(header.toLowerCase()) !== undefined;
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

function fieldOf({ name: { lowerCase }, value }: Header): FormField {
  const name = fieldName(lowerCase);
  if (name === undefined) throw new TypeError(`a form cannot carry ${lowerCase}`);
  return { name, value: value.trim() };
}

/** Returns the field for a header, in lower case; undefined if a form cannot carry it. */
function fieldName(header: string): string | undefined {
  return header.startsWith(METADATA_PREFIX) ? header : FIELDS_BY_HEADER.get(header);
}
