import { z } from 'zod';
import { ACTIONS } from '../src/policy/actions.ts';
import { policySchema } from '../src/policy/file/policy-schema.ts';
import { FIELD_ACTIONS, REQUIRED_FOR_UPLOADS } from '../src/policy/file/rule-schema.ts';
import { ENDPOINT_WORDS } from '../src/storage/oss/endpoint.ts';
import { ADDED_HEADERS } from '../src/storage/oss/header-values.ts';

/** A part of a JSON Schema (draft 7), with the `unit` of the policy's own schema. */
export type JsonSchema = {
  readonly [keyword: string]: unknown;
  readonly type?: string | readonly string[];
  readonly description?: string;
  readonly default?: unknown;
  readonly unit?: 'size' | 'duration';
  readonly enum?: readonly string[];
  readonly const?: unknown;
  readonly anyOf?: readonly JsonSchema[];
  readonly items?: JsonSchema;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly propertyNames?: JsonSchema;
  readonly additionalProperties?: JsonSchema | false;
  readonly required?: readonly string[];
};

const QUANTITY = String.raw`^\d{1,15}(?:\.\d{1,3})? ?`;
const UNITS = {
  size: { pattern: `${QUANTITY}(?:B|KB|MB|GB|KiB|MiB|GiB)?$`, minimum: 1 },
  duration: { pattern: `${QUANTITY}[smhd]?$`, minimum: 0 },
} as const;

const PLACEHOLDER = { $ref: '#/definitions/placeholder' };
const not = (...fields: readonly string[]) => ({ not: { required: fields } });

/**
 * The checks that the policy's schema does by functions, as far as JSON Schema can express them, by
 * path.
 */
const CHECKS: Readonly<Record<string, JsonSchema>> = {
  'issuers[]': { allOf: [not('jwksUrl', 'jwksFile'), not('secretEnv', 'secretFile')] },
  // The flag `i` of the pattern is lost.
  'issuers[].tenants[]': { pattern: '^[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$' },
  targets: { minProperties: 1 },
  'targets.*.endpoint': {
    anyOf: [{ enum: [...ENDPOINT_WORDS] }, { title: 'address', pattern: '^https?://[^/]+/?$' }],
  },
  'rules[]': {
    allOf: [
      {
        if: { properties: { actions: { type: 'array', contains: { const: 'upload' } } } },
        // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema.
        then: { required: [...REQUIRED_FOR_UPLOADS] },
      },
      ...[...Map.groupBy(Object.keys(FIELD_ACTIONS), (field) => String(FIELD_ACTIONS[field])).entries()].map(
        ([needed, fields]) => ({
          if: {
            properties: {
              actions: {
                type: 'array',
                items: { enum: ACTIONS.filter((action) => !needed.includes(action)) },
              },
            },
            // Without `actions`, a rule is for uploads.
            ...(needed.includes('upload') && { required: ['actions'] }),
          },
          // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema.
          then: { allOf: fields.map((field) => not(field)) },
        }),
      ),
    ],
  },
  'rules[].who': { minProperties: 1 },
  'rules[].who.claims': { minProperties: 1 },
  'rules[].prefix': { pattern: '^(?!/).*/$' },
  'rules[].contentTypes[]': { pattern: String.raw`^[^\s/;]+/[^\s/;]+$` },
  'rules[].headers': {
    properties: Object.fromEntries(
      ADDED_HEADERS.map((name) => [usualSpelling(name), { type: ['string', 'integer'] }]),
    ),
    propertyNames: {
      pattern: `^(?:${ADDED_HEADERS.map(inAnyCase).join('|')}|${inAnyCase('x-oss-meta-')}[A-Za-z0-9-]{1,64})$`,
    },
  },
};

/**
 * The policy's own schema as JSON Schema, without placeholders: the source of the reference of its
 * fields.
 */
export const policyJsonSchema = withChecks(
  z.toJSONSchema(policySchema, { target: 'draft-7', io: 'input' }) as JsonSchema,
  '',
);

/**
 * The JSON Schema of the policy file, for editors. It accepts every file that the service accepts.
 * It rejects what the service rejects, except for faults that only the service can find, such as
 * references between parts of the file.
 */
export function renderPolicySchema(): string {
  const { $schema, ...schema } = policyJsonSchema;
  const document = {
    $schema,
    title: 'Policy file of oss-presign',
    description:
      'Issuers whose tokens are accepted, target buckets, and the rules for uploads and downloads.',
    ...withPlaceholders(schema),
    definitions: {
      placeholder: {
        description: `A value of the environment: $\{NAME} or $\{NAME:-default}.`,
        type: 'string',
        pattern: String.raw`\$\{`,
      },
    },
  };
  return `${JSON.stringify(document, null, 2)}\n`;
}

/** Adds {@link CHECKS}, and removes the bounds that zod has for every whole number. */
function withChecks(schema: JsonSchema, path: string): JsonSchema {
  const { minimum, maximum, ...rest } = schema;
  const { properties, additionalProperties, items, anyOf } = schema;
  return {
    ...rest,
    ...(minimum !== undefined && minimum !== Number.MIN_SAFE_INTEGER && { minimum }),
    ...(maximum !== undefined && maximum !== Number.MAX_SAFE_INTEGER && { maximum }),
    ...(properties && {
      properties: mapValues(properties, (member, name) =>
        withActions(withChecks(member, path === '' ? name : `${path}.${name}`), path, name),
      ),
    }),
    ...(additionalProperties && { additionalProperties: withChecks(additionalProperties, `${path}.*`) }),
    ...(items && { items: withChecks(items, `${path}[]`) }),
    ...(anyOf && { anyOf: anyOf.map((option) => withChecks(option, path)) }),
    ...CHECKS[path],
  };
}

/** Adds to the description of a field of a rule which actions it belongs to. */
function withActions(schema: JsonSchema, path: string, name: string): JsonSchema {
  const needed = path === 'rules[]' ? FIELD_ACTIONS[name] : undefined;
  if (!needed || REQUIRED_FOR_UPLOADS.some((field) => field === name)) return schema;
  return {
    ...schema,
    description: `${schema.description} For ${needed.map((action) => `\`${action}\``).join(' and ')}.`,
  };
}

/** Lets `${NAME}` stand for every value that is not a mapping, and turns units into patterns. */
function withPlaceholders(schema: JsonSchema): JsonSchema {
  const { description, default: byDefault, ...checks } = withPlaceholdersInside(schema);
  if (!takesPlaceholder(checks)) return withPlaceholdersInside(schema);
  return {
    ...(description !== undefined && { description }),
    ...(byDefault !== undefined && { default: byDefault }),
    anyOf: [...(Object.keys(checks).length === 1 && checks.anyOf ? checks.anyOf : [checks]), PLACEHOLDER],
  };
}

function withPlaceholdersInside({ unit, ...schema }: JsonSchema): JsonSchema {
  const { properties, additionalProperties, propertyNames, items, anyOf } = schema;
  return {
    ...schema,
    ...(properties && { properties: mapValues(properties, withPlaceholders) }),
    ...(additionalProperties && { additionalProperties: withPlaceholders(additionalProperties) }),
    ...(propertyNames && { propertyNames: { anyOf: [propertyNames, PLACEHOLDER] } }),
    ...(items && { items: withPlaceholders(items) }),
    ...(anyOf && { anyOf: anyOf.map(withPlaceholdersInside) }),
    ...(unit && UNITS[unit]),
  };
}

/**
 * Mappings and lists of mappings cannot come from the environment, and plain texts accept a
 * placeholder anyway.
 */
function takesPlaceholder(checks: JsonSchema): boolean {
  if (checks.type === 'object' || checks.items?.type === 'object') return false;
  const isText = [checks.type].flat().includes('string');
  return !isText || Object.keys(checks).some((keyword) => !['type', 'minLength'].includes(keyword));
}

function mapValues(
  members: Readonly<Record<string, JsonSchema>>,
  change: (member: JsonSchema, name: string) => JsonSchema,
): Record<string, JsonSchema> {
  return Object.fromEntries(Object.entries(members).map(([name, member]) => [name, change(member, name)]));
}

function usualSpelling(header: string): string {
  return header.startsWith('x-') ? header : header.replaceAll(/\b[a-z]/g, (letter) => letter.toUpperCase());
}

function inAnyCase(text: string): string {
  return text.replaceAll(/[a-z]/g, (letter) => `[${letter.toUpperCase()}${letter}]`);
}
