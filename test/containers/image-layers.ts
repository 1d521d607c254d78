import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Engine } from './engine.ts';

export type ImageLayer = {
  /** Each path in the layer, including those that a later layer hides. */
  readonly paths: readonly string[];
  /** Returns the contents of these files of the layer, one after the other. */
  textOf(paths: readonly string[]): string;
};

/** Unpacks the layers of an image, the first one first, while `look` runs. */
export async function withLayersOf<Result>(
  engine: Engine,
  image: string,
  look: (layers: readonly ImageLayer[]) => Result,
): Promise<Result> {
  const folder = mkdtempSync(join(tmpdir(), 'oss-presign-layers-'));
  try {
    const archive = join(folder, 'image.tar');
    // Podman writes the same without it, but warns.
    const format = engine.name === 'podman' ? ['--format=docker-archive'] : [];
    const saved = await engine.run('save', ...format, '--output', archive, image);
    if (saved.code !== 0) throw new Error(`The image ${image} cannot be saved: ${saved.stderr}`);
    tar('--extract', '--file', archive, '--directory', folder);
    const [manifest] = JSON.parse(readFileSync(join(folder, 'manifest.json'), 'utf8'));
    return look((manifest.Layers as readonly string[]).map((layer) => readLayer(join(folder, layer))));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function readLayer(file: string): ImageLayer {
  return {
    paths: tar('--list', '--file', file).split('\n').filter(Boolean),
    textOf: (paths) => (paths.length === 0 ? '' : tar('--extract', '--to-stdout', '--file', file, ...paths)),
  };
}

function tar(...args: readonly string[]): string {
  return execFileSync('tar', args, { encoding: 'utf8', maxBuffer: 1 << 28 });
}
