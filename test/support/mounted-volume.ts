import { mkdirSync, readlinkSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

let volumes = 0;

/**
 * Replaces all files of a folder as the kubelet does it with a volume of a Secret or ConfigMap (AtomicWriter): the new ones are written into a
 * directory of their own, the symlink `..data` is renamed over to point there, and the old directory is removed. The files'
 * own names are symlinks through `..data`, made once.
 */
export function replaceBySwap(
  folder: string,
  files: Readonly<Record<string, string>>,
  { removesOld = true } = {},
): void {
  const directory = `..generation-${++volumes}`;
  mkdirSync(join(folder, directory));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, directory, name), text);
  symlinkSync(directory, join(folder, '..data_tmp'));
  const old = targetOf(join(folder, '..data'));
  renameSync(join(folder, '..data_tmp'), join(folder, '..data'));
  for (const name of Object.keys(files)) {
    if (targetOf(join(folder, name)) === undefined) symlinkSync(join('..data', name), join(folder, name));
  }
  if (removesOld && old !== undefined) rmSync(join(folder, old), { recursive: true });
}

function targetOf(link: string): string | undefined {
  try {
    return readlinkSync(link);
  } catch {
    return undefined;
  }
}
