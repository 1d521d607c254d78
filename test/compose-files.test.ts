import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import packageJson from '../package.json' with { type: 'json' };
import { environmentSchema } from '../src/config/config.ts';

type Service = {
  readonly image: string;
  readonly build?: object;
  readonly env_file?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly ports?: readonly string[];
  readonly volumes?: readonly (string | { readonly source: string })[];
  readonly networks?: readonly string[];
  readonly read_only?: boolean;
  readonly cap_drop?: readonly string[];
  readonly security_opt?: readonly string[];
};
type ComposeFile = {
  readonly services: Readonly<Record<string, Service>>;
  readonly networks?: Readonly<Record<string, { readonly internal?: boolean }>>;
};

const root = new URL('../', import.meta.url);
const read = (name: string) => readFileSync(new URL(name, root), 'utf8');
const parsed = (name: string) => parse(read(name)) as ComposeFile;
const real = parsed('docker-compose.yml');
const demo = parsed('compose.demo.yaml');
const serviceKeys = parsed('compose.service-keys.yaml');

describe.each([
  ['docker-compose.yml', real],
  ['compose.demo.yaml', demo],
])('%s', (_name, { services }) => {
  it('publishes ports on the loopback address, unless HOST names another', () => {
    const ports = Object.values(services).flatMap((service) => service.ports ?? []);
    expect(ports).not.toHaveLength(0);
    for (const port of ports) expect(port).toMatch(/^(127\.0\.0\.1|\$\{HOST:-127\.0\.0\.1\}):/);
  });

  it('gives no container capabilities or a writable file system', () => {
    for (const [name, service] of Object.entries(services))
      expect(service, name).toMatchObject({
        read_only: true,
        cap_drop: ['ALL'],
        security_opt: ['no-new-privileges:true'],
      });
  });

  it('names a minor version of each image that it pulls', () => {
    for (const { image, build } of Object.values(services)) if (!build) expect(image).toMatch(/:\d+\.\d+/);
  });

  it('sets only variables of the service, and those of the demo', () => {
    const names = Object.keys(services.presign?.environment ?? {});
    const unknown = names.filter((name) => !(name in environmentSchema.shape) && !name.startsWith('DEMO_'));
    expect(unknown).toStrictEqual([]);
  });
});

describe('docker-compose.yml', () => {
  const environment = real.services.presign?.environment ?? {};

  it('passes all variables of .env to the service', () => {
    // biome-ignore lint/suspicious/noTemplateCurlyInString: the text of the file.
    expect(real.services.presign?.env_file).toStrictEqual(['${ENV_FILE:-.env}']);
  });

  it('uses nothing of the demo', () => {
    expect(read('docker-compose.yml').replace(/compose\.demo\.yaml/, '')).not.toMatch(/demo/i);
  });

  it('names the variable to set if the policy or the access key is missing', () => {
    expect(JSON.stringify(real.services.presign?.volumes)).toContain('{POLICY_FILE:?Set POLICY_FILE in .env');
    // Without the colon, because an empty variable selects the default chain of credentials.
    expect(environment.OSS_ACCESS_KEY_ID).toContain('{OSS_ACCESS_KEY_ID?Set OSS_ACCESS_KEY_ID');
    expect(environment.OSS_ACCESS_KEY_SECRET).toContain('{OSS_ACCESS_KEY_SECRET?Set OSS_ACCESS_KEY_SECRET');
  });

  it('keeps Valkey in a separate network with the service', () => {
    const { valkey, presign, ...others } = real.services;
    expect(valkey?.networks).toStrictEqual(['limits']);
    expect(real.networks?.limits?.internal).toBe(true);
    expect(presign?.networks).toStrictEqual(['default', 'limits']);
    for (const service of Object.values(others)) expect(service.networks ?? []).not.toContain('limits');
  });

  it('takes only variables that .env.example names', () => {
    const text = `${read('docker-compose.yml')}${read('compose.service-keys.yaml')}`;
    const taken = [...text.replaceAll(/^ *#.*$/gm, '').matchAll(/\$\{([A-Z_]+)/g)].map(
      ([, name]) => name ?? '',
    );
    const example = read('.env.example');
    const missing = taken.filter(
      (name) => name !== 'ENV_FILE' && !new RegExp(`^(# )?${name}=`, 'm').test(example),
    );
    expect(missing).toStrictEqual([]);
  });
});

describe('compose.service-keys.yaml', () => {
  const { presign, ...others } = serviceKeys.services;

  it('adds to the service the directory of the keys and the address of receipts, and nothing else', () => {
    expect(others).toStrictEqual({});
    expect(serviceKeys.networks).toBeUndefined();
    expect(presign).toStrictEqual({
      environment: {
        SERVICE_KEYS_FILE: '/etc/oss-presign-keys/service-keys.json',
        PUBLIC_URL: expect.stringContaining('{PUBLIC_URL:?Set PUBLIC_URL in .env'),
      },
      volumes: [
        {
          type: 'bind',
          // biome-ignore lint/suspicious/noTemplateCurlyInString: the text of the file.
          source: '${SERVICE_KEYS_DIRECTORY:-./service-keys}',
          target: '/etc/oss-presign-keys',
          read_only: true,
          bind: { create_host_path: false },
        },
      ],
    });
  });

  it('has keys that are never committed', () => {
    expect(read('.gitignore').split('\n')).toContain('/service-keys/');
  });
});

it('both images start from the minor release of Node.js that the tests run on', () => {
  const [major, minor] = packageJson.devDependencies.node.split('.');
  for (const file of ['Dockerfile', 'deploy/proxy/Dockerfile']) {
    const external = [...read(file).matchAll(/^FROM (\S+)/gm)].filter(([, image]) => image?.includes('/'));
    expect(external.map(([, image]) => image)).toStrictEqual([`docker.io/library/node:\${NODE_VERSION}`]);
    expect(/^ARG NODE_VERSION=([^@\s]+)(@sha256:[0-9a-f]{64})?$/m.exec(read(file))?.[1], file).toBe(
      `${major}.${minor}-bookworm-slim`,
    );
  }
});

it('haproxy.cfg and docker-compose.yml have the same defaults', () => {
  const config = read('deploy/proxy/haproxy.cfg');
  for (const [name, value] of Object.entries(real.services.proxy?.environment ?? {})) {
    const [, byDefault] = new RegExp(`^ +presetenv ${name} (\\S+)$`, 'm').exec(config) ?? [];
    expect(value, name).toBe(`\${${name}:-${byDefault}}`);
  }
});
