import { mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { describe, expect, inject, it, onTestFinished } from 'vitest';
import packageJson from '../../package.json' with { type: 'json' };
import { environmentSchema } from '../../src/config/config.ts';
import { publicUrlFault } from '../../src/config/network-settings.ts';
import { parsePolicy } from '../../src/policy/file/parse-policy.ts';
import { createTestApp } from '../support/test-app.ts';
import { type Manifest, readKubernetesSchema } from './kubernetes-schema.ts';
import { render } from './render.ts';

const BASE = 'deploy/kubernetes/base';
const folders = [
  BASE,
  ...readdirSync('deploy/kubernetes/overlays').map((name) => `deploy/kubernetes/overlays/${name}`),
];
const faultsOf = readKubernetesSchema(inject('openApi'));

// The parts that the tests below read. The first test checks them against the schema.
type Selector = { readonly matchLabels: Readonly<Record<string, string>> };
type Probe = { readonly httpGet: { readonly path: string; readonly port: string } };
type Container = {
  readonly name: string;
  readonly image: string;
  readonly env: readonly { readonly name: string; readonly value?: string; readonly valueFrom?: object }[];
  readonly ports: readonly { readonly name: string; readonly containerPort: number }[];
  readonly volumeMounts: readonly {
    readonly name: string;
    readonly mountPath: string;
    readonly subPath?: string;
  }[];
  readonly securityContext: object;
  readonly startupProbe: Probe;
  readonly livenessProbe: Probe;
  readonly readinessProbe: Probe;
};
type Deployment = Manifest & {
  readonly spec: {
    readonly replicas?: number;
    readonly selector: Selector;
    readonly strategy: { readonly rollingUpdate: object };
    readonly template: {
      readonly metadata: Pick<Manifest['metadata'], 'labels' | 'annotations'>;
      readonly spec: {
        readonly serviceAccountName: string;
        readonly terminationGracePeriodSeconds: number;
        readonly securityContext: object;
        readonly containers: readonly Container[];
        readonly topologySpreadConstraints: readonly { readonly labelSelector: Selector }[];
        readonly volumes: readonly {
          readonly name: string;
          readonly configMap?: { readonly name: string };
          readonly secret?: { readonly secretName: string; readonly defaultMode: number };
        }[];
      };
    };
  };
};

function only<Kind extends Manifest>(manifests: readonly Manifest[], kind: string): Kind {
  const found = manifests.filter((manifest) => manifest.kind === kind);
  expect(found, kind).toHaveLength(1);
  return found[0] as Kind;
}

describe.each(folders)('%s', (folder) => {
  const manifests = render(folder);
  const deployment = only<Deployment>(manifests, 'Deployment');
  const { spec: pod, metadata } = deployment.spec.template;
  const [container] = pod.containers as readonly [Container];
  const valueOfVariable = (name: string) => container.env.find((one) => one.name === name)?.value;

  it('is valid according to the schema of Kubernetes', () => {
    const faults = manifests.flatMap((one) => faultsOf(one).map((fault) => `${one.kind} ${fault}`));
    expect(faults).toStrictEqual([]);
  });

  it('has each kind of resource once, in one namespace', () => {
    expect(manifests.map(({ kind }) => kind).sort()).toStrictEqual([
      'ConfigMap',
      'Deployment',
      'HorizontalPodAutoscaler',
      'Namespace',
      'NetworkPolicy',
      'PodDisruptionBudget',
      'Service',
      'ServiceAccount',
    ]);
    const namespaces = manifests
      .filter(({ kind }) => kind !== 'Namespace')
      .map((one) => one.metadata.namespace);
    expect([...new Set(namespaces)]).toStrictEqual([only(manifests, 'Namespace').metadata.name]);
  });

  it('sets only variables that the service has', () => {
    const unknown = container.env
      .map(({ name }) => name)
      .filter((name) => !(name in environmentSchema.shape));
    expect(unknown).toStrictEqual([]);
  });

  it('gives the pod more time to stop than the delay and the grace time together', () => {
    const seconds =
      Number(valueOfVariable('SHUTDOWN_DELAY_SECONDS')) + Number(valueOfVariable('SHUTDOWN_GRACE_SECONDS'));
    expect(seconds).toBeGreaterThan(0);
    expect(pod.terminationGracePeriodSeconds).toBeGreaterThan(seconds);
  });

  it('lets a stopping pod finish what a load balancer waits for', () => {
    const [, waits] =
      /set-timeout server (\d+)s/.exec(readFileSync('deploy/proxy/haproxy.cfg', 'utf8')) ?? [];
    expect(Number(valueOfVariable('SHUTDOWN_GRACE_SECONDS'))).toBeGreaterThanOrEqual(Number(waits));
  });

  it('mounts a valid policy at POLICY_FILE, and never as a subPath', () => {
    const { data } = only<Manifest & { data: Record<string, string> }>(manifests, 'ConfigMap');
    const [mount] = container.volumeMounts.filter(({ mountPath }) =>
      valueOfVariable('POLICY_FILE')?.startsWith(`${mountPath}/`),
    );
    const volume = pod.volumes.find(({ name }) => name === mount?.name);
    expect(volume?.configMap?.name).toBe(only(manifests, 'ConfigMap').metadata.name);
    const file = valueOfVariable('POLICY_FILE')?.slice(`${mount?.mountPath}/`.length) ?? '';
    const parsed = parsePolicy(data[file] ?? '', { env: {}, readFile: () => '' });
    expect(parsed).not.toHaveProperty('faults');
    expect(container.volumeMounts.filter(({ subPath }) => subPath !== undefined)).toStrictEqual([]);
  });

  it('probes routes of the service on ports of the container', async () => {
    const { http } = await createTestApp();
    const probes = [container.startupProbe, container.livenessProbe, container.readinessProbe];
    expect(probes.map(({ httpGet }) => httpGet.path)).toStrictEqual(['/livez', '/livez', '/readyz']);
    for (const { httpGet } of probes) {
      expect(httpGet.port).toBe('metrics');
      expect((await http.get(httpGet.path)).status).toBe(200);
    }
    const ports = Object.fromEntries(container.ports.map(({ name, containerPort }) => [name, containerPort]));
    expect(ports).toStrictEqual({
      http: environmentSchema.shape.PORT.parse(undefined),
      metrics: Number(valueOfVariable('METRICS_PORT')),
    });
    expect(metadata.annotations?.['prometheus.io/port']).toBe(String(ports.metrics));
    const service = only<Manifest & { spec: { ports: readonly { targetPort: string }[] } }>(
      manifests,
      'Service',
    );
    expect(service.spec.ports.map(({ targetPort }) => targetPort)).toStrictEqual(['http']);
  });

  it('runs without privileges, as the user of the image', () => {
    expect(pod.securityContext).toMatchObject({
      runAsNonRoot: true,
      runAsUser: 1000,
      seccompProfile: { type: 'RuntimeDefault' },
    });
    expect(pod.containers.map(({ securityContext }) => securityContext)).toStrictEqual([
      { allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: ['ALL'] } },
    ]);
  });

  it('selects its pods by the same label everywhere', () => {
    const selected = (kind: string) =>
      only<Manifest & { spec: Record<string, Selector> }>(manifests, kind).spec;
    const selectors = [
      deployment.spec.selector,
      { matchLabels: selected('Service').selector },
      selected('PodDisruptionBudget').selector,
      selected('NetworkPolicy').podSelector,
      ...pod.topologySpreadConstraints.map(({ labelSelector }) => labelSelector),
    ];
    expect(metadata.labels).toHaveProperty(['app.kubernetes.io/name']);
    for (const selector of selectors) {
      expect(selector?.matchLabels).toStrictEqual({
        'app.kubernetes.io/name': metadata.labels?.['app.kubernetes.io/name'],
      });
    }
    const { scaleTargetRef } = selected('HorizontalPodAutoscaler') as { scaleTargetRef?: unknown };
    const { apiVersion, kind } = deployment;
    expect(scaleTargetRef).toStrictEqual({ apiVersion, kind, name: deployment.metadata.name });
    expect(pod.serviceAccountName).toBe(only(manifests, 'ServiceAccount').metadata.name);
  });

  it('allows egress only to the DNS of the cluster, and on the ports of HTTPS and Redis, but not to the metadata server', () => {
    type Rule = { readonly to?: readonly object[]; readonly ports: readonly { readonly port: number }[] };
    const { spec } = only<Manifest & { spec: { policyTypes: string[]; egress: readonly Rule[] } }>(
      manifests,
      'NetworkPolicy',
    );
    expect(spec.policyTypes).toContain('Egress');
    const [dns, others, ...rest] = spec.egress;
    expect(rest).toStrictEqual([]);
    expect(dns).toStrictEqual({
      to: [
        {
          namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'kube-system' } },
          podSelector: { matchLabels: { 'k8s-app': 'kube-dns' } },
        },
      ],
      ports: [
        { protocol: 'UDP', port: 53 },
        { protocol: 'TCP', port: 53 },
      ],
    });
    expect(others?.ports.map(({ port }) => port)).toStrictEqual([443, 6379]);
    expect(others?.to).toStrictEqual([{ ipBlock: { cidr: '0.0.0.0/0', except: ['100.100.100.200/32'] } }]);
  });

  it('keeps all replicas during a rollout, and leaves their number to the autoscaler', () => {
    expect(deployment.spec.strategy.rollingUpdate).toMatchObject({ maxUnavailable: 0 });
    expect(deployment.spec, 'the autoscaler sets the number').not.toHaveProperty('replicas');
  });

  it('contains no secret', () => {
    expect(manifests.filter(({ kind }) => kind === 'Secret')).toStrictEqual([]);
    const literal = container.env.filter(
      ({ name, value }) =>
        /KEY|SECRET|TOKEN|REDIS/.test(name) && !name.endsWith('_FILE') && value !== undefined,
    );
    expect(literal).toStrictEqual([]);
  });
});

const OVERLAYS = 'deploy/kubernetes/overlays';
const INJECTION = 'pod-identity.alibabacloud.com/injection';
const ROLE = 'pod-identity.alibabacloud.com/role-name';

/** The settings that overlays change, as the cluster receives them. */
function settings(folder: string) {
  const manifests = render(folder);
  const deployment = only<Deployment>(manifests, 'Deployment');
  const configMap = only<Manifest & { data: Record<string, string> }>(manifests, 'ConfigMap');
  return {
    images: deployment.spec.template.spec.containers.map(({ image }) => image),
    policy: configMap.data['policy.yaml'],
    configMap: configMap.metadata.name,
    injection: only(manifests, 'Namespace').metadata.labels?.[INJECTION],
    role: only(manifests, 'ServiceAccount').metadata.annotations?.[ROLE],
    variables: deployment.spec.template.spec.containers
      .flatMap(({ env }) => env.map(({ name }) => name))
      .filter((name) => name.startsWith('OSS_')),
  };
}

describe('image, policy and credentials', () => {
  it('of the base are placeholders', () => {
    expect(settings(BASE)).toStrictEqual({
      images: ['oss-presign'],
      policy: readFileSync(`${BASE}/policy.yaml`, 'utf8'),
      configMap: 'oss-presign-policy',
      injection: 'on',
      role: 'oss-presign',
      variables: [],
    });
  });

  it('of overlays/example are its own, with the version of this package', () => {
    const policy = readFileSync(`${OVERLAYS}/example/policy.yaml`, 'utf8');
    expect(policy).not.toBe(settings(BASE).policy);
    expect(settings(`${OVERLAYS}/example`)).toStrictEqual({
      images: [`registry.example.com/oss-presign:${packageJson.version}`],
      policy,
      configMap: 'oss-presign-policy',
      injection: 'on',
      role: 'example-oss-presign',
      variables: [],
    });
  });

  it('of overlays/static-keys are those of the base, but with files of a secret instead of a role', () => {
    expect(settings(`${OVERLAYS}/static-keys`)).toStrictEqual({
      ...settings(BASE),
      injection: undefined,
      role: undefined,
      variables: ['OSS_ACCESS_KEY_ID_FILE', 'OSS_ACCESS_KEY_SECRET_FILE'],
    });
  });

  it.each([BASE, `${OVERLAYS}/static-keys`])('of an overlay on %s are those of the overlay', (base) => {
    const folder = mkdtempSync(join(tmpdir(), 'oss-presign-overlay-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const example = readFileSync(`${OVERLAYS}/example/kustomization.yaml`, 'utf8');
    const policy = 'issuers: []\n';
    writeFileSync(join(folder, 'policy.yaml'), policy);
    writeFileSync(
      join(folder, 'kustomization.yaml'),
      example
        .replace(/^resources:.*$/m, `resources: [${JSON.stringify(relative(realpathSync(folder), base))}]`)
        .replace(/^components:.*$/m, '')
        .replace(/newName:.*$/m, 'newName: mirror.example.net/uploads')
        .replace(/newTag:.*$/m, 'newTag: "9.9"')
        .replace(/^patches:[\s\S]*/m, ''),
    );
    expect(settings(folder)).toStrictEqual({
      ...settings(base),
      images: ['mirror.example.net/uploads:9.9'],
      policy,
    });
  });
});

describe('the component service-keys', () => {
  const withKeys = (base: string) => {
    const folder = mkdtempSync(join(tmpdir(), 'oss-presign-component-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const pathTo = (target: string) => JSON.stringify(relative(realpathSync(folder), target));
    const text = `resources: [${pathTo(base)}]\ncomponents: [${pathTo('deploy/kubernetes/components/service-keys')}]\n`;
    writeFileSync(join(folder, 'kustomization.yaml'), text);
    return render(folder);
  };

  it.each([
    ['the base', () => withKeys(BASE)],
    ['overlays/static-keys', () => withKeys(`${OVERLAYS}/static-keys`)],
    ['overlays/example, which contains it', () => render(`${OVERLAYS}/example`)],
  ])('mounts a secret that only the service reads at SERVICE_KEYS_FILE of %s', (_base, manifestsOf) => {
    const manifests = manifestsOf();
    expect(manifests.flatMap((one) => faultsOf(one))).toStrictEqual([]);
    const { spec: pod } = only<Deployment>(manifests, 'Deployment').spec.template;
    const [container] = pod.containers as readonly [Container];
    const file = container.env.find(({ name }) => name === 'SERVICE_KEYS_FILE')?.value ?? '';
    const [mount, ...others] = container.volumeMounts.filter(({ mountPath }) =>
      file.startsWith(`${mountPath}/`),
    );
    expect(others).toStrictEqual([]);
    // Without subPath, which would hide a replaced file.
    expect(mount).toStrictEqual({ name: mount?.name, mountPath: mount?.mountPath, readOnly: true });
    expect(pod.volumes.find(({ name }) => name === mount?.name)).toStrictEqual({
      name: mount?.name,
      secret: { secretName: 'oss-presign-service-keys', defaultMode: 0o440 },
    });
    const command = readFileSync('deploy/kubernetes/components/service-keys/kustomization.yaml', 'utf8');
    expect(command).toContain(
      `create secret generic oss-presign-service-keys --from-file=${file.slice(`${mount?.mountPath}/`.length)}`,
    );
  });

  it('is used by overlays/example with the address of its receipts, and not by the base', () => {
    const variables = (folder: string) =>
      only<Deployment>(render(folder), 'Deployment').spec.template.spec.containers.flatMap(({ env }) => env);
    const address = variables(`${OVERLAYS}/example`).find(({ name }) => name === 'PUBLIC_URL')?.value;
    expect(address).toBeDefined();
    expect(publicUrlFault(address ?? '')).toBeUndefined();
    // A pod without the secret would not start.
    expect(variables(BASE).map(({ name }) => name)).not.toContain('SERVICE_KEYS_FILE');
  });
});

describe('the schema rejects', () => {
  const manifests = render(BASE);
  const changed = (kind: string, from: string, to: string): Manifest => {
    const text = JSON.stringify(only(manifests, kind));
    expect(text).toContain(from);
    return JSON.parse(text.replace(from, to));
  };

  it.each([
    ['a misspelt field', 'Deployment', '"readinessProbe"', '"readynessProbe"', 'readynessProbe'],
    ['a field at the wrong depth', 'Service', '"spec":{', '"selector":{},"spec":{', 'selector'],
    [
      'a text instead of a number',
      'Deployment',
      '"containerPort":8080',
      '"containerPort":"http"',
      'containerPort',
    ],
    ['a missing field', 'HorizontalPodAutoscaler', '"maxReplicas":20,', '', 'maxReplicas'],
    [
      'a kind of another version',
      'HorizontalPodAutoscaler',
      'autoscaling/v2',
      'autoscaling/v2beta2',
      'v2beta2',
    ],
  ])('%s', (_what, kind, from, to, named) => {
    expect(faultsOf(changed(kind, from, to)).join('\n')).toContain(named);
  });
});
