import type { z } from 'zod';
import { EnvironmentText } from './placeholders.ts';

type Schema = z.core.$ZodType;
type Definition = z.core.$ZodTypes['_zod']['def'];

/** Returns a schema without its optional, default and transform wrappers. */
function unwrap(schema: Schema): Definition {
  let { def } = (schema as z.core.$ZodTypes)._zod;
  for (;;) {
    if (
      def.type === 'optional' ||
      def.type === 'default' ||
      def.type === 'prefault' ||
      def.type === 'nullable'
    )
      ({ def } = (def.innerType as z.core.$ZodTypes)._zod);
    else if (def.type === 'pipe') ({ def } = (def.in as z.core.$ZodTypes)._zod);
    else return def;
  }
}

/**
 * Converts each {@link EnvironmentText} to the type of its field: a whole number, a boolean, a list
 * (split at commas, with blanks removed), or a text. Within a list, an element is split as well, so
 * that `["${TYPES}"]` equals `${TYPES}`. For a field that accepts a single text as well as a list
 * (an audience, a scope, the values of a claim), the text is never split, because it can contain a
 * comma. A value that does not fit stays a text, and the schema rejects it.
 */
export function fitToSchema(value: unknown, schema: Schema | undefined): unknown {
  const def = schema && unwrap(schema);
  if (value instanceof EnvironmentText) return fitText(value.text, def);
  if (Array.isArray(value)) {
    const element = def?.type === 'array' ? def.element : undefined;
    return value.flatMap((item: unknown) =>
      item instanceof EnvironmentText && element ? fitList(item.text, element) : [fitToSchema(item, element)],
    );
  }
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [name, fitToSchema(member, memberSchema(def, name))]),
  );
}

function fitText(text: string, def: Definition | undefined): unknown {
  switch (def?.type) {
    case 'boolean':
      // Only the spellings of YAML 1.2, as in the file itself.
      return /^(?:true|True|TRUE)$/.test(text) || (/^(?:false|False|FALSE)$/.test(text) ? false : text);
    case 'number':
      return /^\d{1,15}$/.test(text) ? Number(text) : text;
    case 'array':
      return fitList(text, def.element);
    default:
      return text;
  }
}

function fitList(text: string, element: Schema): unknown[] {
  const def = unwrap(element);
  return items(text).map((item) => fitText(item, def));
}

/** Ignores empty elements, as for lists in environment variables. */
function items(text: string): readonly string[] {
  return text
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '');
}

function memberSchema(def: Definition | undefined, name: string): Schema | undefined {
  if (def?.type === 'object') return Object.hasOwn(def.shape, name) ? def.shape[name] : undefined;
  if (def?.type === 'record') return def.valueType;
  if (def?.type !== 'union') return undefined;
  return memberSchema(objectOption(def), name);
}

function objectOption(def: Extract<Definition, { type: 'union' }>): Definition | undefined {
  return def.options.map(unwrap).find(({ type }) => type === 'object' || type === 'record');
}

/**
 * Returns the names of the fields that an object at a path may have; undefined if any name is
 * possible, or none.
 */
export function fieldsAt(schema: Schema, path: readonly PropertyKey[]): readonly string[] | undefined {
  let def: Definition | undefined = unwrap(schema);
  for (const step of path) {
    const next: Schema | undefined =
      typeof step === 'number'
        ? def?.type === 'array'
          ? def.element
          : undefined
        : memberSchema(def, String(step));
    if (!next) return undefined;
    def = unwrap(next);
  }
  if (def?.type === 'union') def = objectOption(def);
  return def?.type === 'object' ? Object.keys(def.shape) : undefined;
}

/**
 * Returns the paths of the objects that have a field of this name, such as `issuers[]` or
 * `rules[].who`.
 */
export function placesOf(field: string, schema: Schema, path = ''): readonly string[] {
  const def = unwrap(schema);
  switch (def.type) {
    case 'object':
      return [
        ...(Object.hasOwn(def.shape, field) ? [path] : []),
        ...Object.entries(def.shape).flatMap(([name, member]) =>
          placesOf(field, member, path === '' ? name : `${path}.${name}`),
        ),
      ];
    case 'array':
      return placesOf(field, def.element, `${path}[]`);
    case 'record':
      return placesOf(field, def.valueType, `${path}.*`);
    case 'union':
      return def.options.flatMap((option) => placesOf(field, option, path));
    default:
      return [];
  }
}
