import { ADDED_HEADERS } from '../src/storage/oss/header-values.ts';
import { type JsonSchema, policyJsonSchema } from './policy-schema.ts';

/** A longer list of values stands below the table. */
const MAX_LISTED_VALUES = 5;

/**
 * The Markdown tables of every field of the policy file: a table for each mapping, in the order of
 * the file.
 */
export function renderPolicyReference(): string {
  const { issuers, targets, rules } = policyJsonSchema.properties ?? {};
  return [
    ...sectionsOf('issuers[]', issuers?.items),
    ...sectionsOf('targets.NAME', targets?.additionalProperties || undefined),
    ...sectionsOf('rules[]', rules?.items),
    `Headers that \`headers\` can add: ${ADDED_HEADERS.map((name) => `\`${name}\``).join(', ')}, and \`x-oss-meta-…\`.`,
    '',
  ].join('\n');
}

function sectionsOf(path: string, schema: JsonSchema | undefined): readonly string[] {
  if (!schema?.properties) throw new Error(`The schema of the policy has no fields at ${path}.`);
  const { properties, required = [] } = schema;
  const rows = Object.entries(properties).map(([name, field]) => {
    const byDefault = required.includes(name) ? 'required' : renderDefault(field.default);
    return `| \`${name}\` | ${typeOf(field)} | ${byDefault} | ${field.description ?? ''} |`;
  });
  const lists = Object.entries(properties).flatMap(([name, field]) => {
    const values = field.items?.enum ?? [];
    return values.length > MAX_LISTED_VALUES
      ? [`Values of \`${name}\`: ${renderValues(values, 'and')}.`, '']
      : [];
  });
  const nested = Object.entries(properties).flatMap(([name, field]) => {
    const object = [field, ...(field.anyOf ?? [])].find(
      (option) => option.properties && !option.propertyNames,
    );
    return object ? sectionsOf(`${path}.${name}`, object) : [];
  });
  return [
    `### \`${path}\``,
    '',
    '| field | type | default | meaning |',
    '|---|---|---|---|',
    ...rows,
    '',
    ...lists,
    ...nested,
  ];
}

function typeOf(schema: JsonSchema): string {
  if (schema.unit) return schema.unit;
  if (typeof schema.title === 'string') return schema.title;
  if (schema.const !== undefined) return `\`${schema.const}\``;
  if (schema.enum) return schema.enum.length > MAX_LISTED_VALUES ? 'value' : renderValues(schema.enum, 'or');
  if (schema.items) return `list of ${plural(typeOf(schema.items))}`;
  if (schema.propertyNames || schema.properties) return 'mapping';
  if (schema.anyOf) return [...new Set(schema.anyOf.map(typeOf))].join(' or ');
  if (schema.type === 'boolean') return '`true` or `false`';
  return schema.type === 'integer' ? 'whole number' : 'text';
}

const plural = (type: string) => (type.startsWith('`') ? type : `${type}s`);

function renderValues(values: readonly string[], conjunction: string): string {
  const quoted = values.map((value) => `\`${value}\``);
  return [quoted.slice(0, -1).join(', '), quoted.at(-1)].join(` ${conjunction} `);
}

function renderDefault(value: unknown): string {
  if (value === undefined) return '';
  if (typeof value !== 'object' || value === null) return `\`${value}\``;
  if (Array.isArray(value)) return `\`[${value.join(', ')}]\``;
  const members = Object.entries(value).filter(
    ([, member]) => !(Array.isArray(member) && member.length === 0),
  );
  if (members.length === 0) return '`{}`';
  return `\`{ ${members.map(([name, member]) => `${name}: ${member}`).join(', ')} }\``;
}
