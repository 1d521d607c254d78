import { execFile } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { TestProject } from 'vitest/node';

declare module 'vitest' {
  interface ProvidedContext {
    /** The path of kustomize. */
    readonly kustomize: string;
    /** The path of the OpenAPI document of the Kubernetes API. */
    readonly openApi: string;
  }
}

/**
 * The sources of Kubernetes contain the schema of its API. The sum comes from the Go checksum
 * database.
 */
const KUBERNETES = {
  version: 'v1.34.2',
  sum: 'h1:WQdDvYJazkmkwSncgNwGvVtaCt4TYXIU3wSMRgvp3MI=',
  document: 'api/openapi-spec/swagger.json',
};

/**
 * Builds kustomize outside the checkout and fetches the schema of Kubernetes, both from the Go
 * module proxy.
 * @throws Error if Go is missing or a build fails, so that the suite fails instead of skipping.
 */
export default async function prepareTools(project: TestProject): Promise<() => void> {
  const folder = mkdtempSync(join(tmpdir(), 'kubernetes-tools-'));
  const remove = () => rmSync(folder, { recursive: true, force: true });
  try {
    for (const name of ['go.mod', 'go.sum']) cpSync(join(import.meta.dirname, name), join(folder, name));
    const kustomize = join(folder, 'kustomize');
    await go(folder, 'build', '-o', kustomize, 'sigs.k8s.io/kustomize/kustomize/v5');
    const found = await go(folder, 'mod', 'download', '-json', `k8s.io/kubernetes@${KUBERNETES.version}`);
    const { Dir, Sum } = JSON.parse(found);
    if (Sum !== KUBERNETES.sum) throw new Error(`The sources of Kubernetes have the sum ${Sum}.`);
    project.provide('kustomize', kustomize);
    project.provide('openApi', join(Dir, KUBERNETES.document));
  } catch (error) {
    remove();
    throw error;
  }
  return remove;
}

async function go(folder: string, ...args: readonly string[]): Promise<string> {
  try {
    return (await promisify(execFile)('go', args, { cwd: folder, maxBuffer: 1 << 26 })).stdout;
  } catch (error) {
    const { code, stdout, stderr } = error as NodeJS.ErrnoException & { stdout?: string; stderr?: string };
    throw new Error(
      code === 'ENOENT'
        ? 'The Kubernetes suite needs Go 1.24 or later on the PATH, to build kustomize.'
        : `go ${args.join(' ')} failed:\n${stdout}${stderr}`,
    );
  }
}
