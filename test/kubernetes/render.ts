import { execFileSync } from 'node:child_process';
import { inject } from 'vitest';
import { parseAllDocuments } from 'yaml';
import type { Manifest } from './kubernetes-schema.ts';

/** Returns the manifests that `kubectl apply -k FOLDER` sends. */
export function render(folder: string): readonly Manifest[] {
  const text = execFileSync(inject('kustomize'), ['build', folder], { encoding: 'utf8' });
  return parseAllDocuments(text).map((document) => document.toJS());
}
