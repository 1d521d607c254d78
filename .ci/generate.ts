/**
 * Writes the files that are generated from the sources: `openapi.yaml`, the types of a client that a
 * test uses, `policy.schema.json`, `.env.example`, the tables of `docs/configuration.md` and
 * `docs/policy.md`, and, from mime-db, the lists of media types in `src/policy`.
 * With `--check` it writes nothing, names each file that differs, and exits 1 if there is one.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import process from 'node:process';
import { environmentSchema } from '../src/config/config.ts';
import { renderOpenApi } from '../src/http/docs/openapi.ts';
import { ROUTES } from '../src/http/routes/routes.ts';
import { renderClientTypes } from './client-types.ts';
import { renderRegisteredTypes, renderTypeExtensions } from './media-types.ts';
import { renderPolicyReference } from './policy-reference.ts';
import { renderPolicySchema } from './policy-schema.ts';

type Variable = { readonly name: string; readonly description: string; readonly default: string };

/** The variables of docker-compose.yml that are not variables of the service. */
const COMPOSE_VARIABLES = `# For docker-compose.yml only, where HOST and PORT are the address of the proxy on this machine.

# How many replicas of the service run.
PRESIGN_REPLICAS=1

# For compose.service-keys.yaml: the directory of service-keys.json, and the files of \`docker compose\`.
# SERVICE_KEYS_DIRECTORY=./service-keys
# COMPOSE_FILE=docker-compose.yml:compose.service-keys.yaml

# Requests that one address may send within 10 s, and connections that it may have open.
PROXY_MAX_REQUESTS=1000
PROXY_MAX_CONNECTIONS=200

# The address or CIDR range of a proxy with TLS in front, as the container sees it. Its X-Forwarded-For is trusted.
# PROXY_TRUSTED=172.16.0.0/12
`;

const isCheck = process.argv.includes('--check');
const root = new URL('../', import.meta.url);

const openapi = renderOpenApi(ROUTES);

const outdated = Object.entries({
  'openapi.yaml': openapi,
  'test/http/docs/openapi-types.ts': await renderClientTypes(openapi),
  'src/policy/registered-types.ts': renderRegisteredTypes(),
  'src/policy/type-extensions.ts': renderTypeExtensions(),
  '.env.example': renderEnvExample(variables()),
  'policy.schema.json': renderPolicySchema(),
  'docs/policy.md': withGenerated('docs/policy.md', 'reference', renderPolicyReference()),
  'docs/configuration.md': withGenerated('docs/configuration.md', 'environment', renderTable(variables())),
}).filter(([name, content]) => read(name) !== content);

for (const [name, content] of outdated) {
  if (!isCheck) writeFileSync(new URL(name, root), content);
  process.stdout.write(
    `${name} ${isCheck ? 'is out of step with the sources; run: npm run generate' : 'written'}\n`,
  );
}
if (isCheck && outdated.length > 0) process.exitCode = 1;

/**
 * A page with new content between `<!-- generated: NAME -->` and `<!-- /generated -->`.
 * @throws Error if the page has no such place.
 */
function withGenerated(page: string, name: string, content: string): string {
  const place = new RegExp(`(<!-- generated: ${name} -->\n)[\\s\\S]*?(<!-- /generated -->)`);
  const text = read(page);
  if (!place.test(text)) throw new Error(`${page} has no place for the generated part "${name}"`);
  return text.replace(place, (_, begin, end) => `${begin}${content}${end}`);
}

function variables(): readonly Variable[] {
  return Object.entries(environmentSchema.shape).map(([name, schema]) => {
    const byDefault: unknown = schema.safeParse(undefined).data;
    return {
      name,
      description: schema.meta()?.description ?? '',
      default: byDefault === undefined ? '' : [byDefault].flat().join(','),
    };
  });
}

function renderTable(rows: readonly Variable[]): string {
  const lines = rows.map(
    (row) => `| \`${row.name}\` | ${row.default === '' ? '' : `\`${row.default}\``} | ${row.description} |`,
  );
  return ['| variable | default | meaning |', '|---|---|---|', ...lines, ''].join('\n');
}

function renderEnvExample(rows: readonly Variable[]): string {
  const entries = rows.map(
    (row) => `# ${row.description}\n${row.default === '' ? '# ' : ''}${row.name}=${row.default}\n`,
  );
  return `# Copy to .env and fill in. Never commit the copy.\n\n${entries.join('\n')}\n${COMPOSE_VARIABLES}`;
}

function read(name: string): string {
  try {
    return readFileSync(new URL(name, root), 'utf8');
  } catch {
    return '';
  }
}
