import type { Engine } from './engine.ts';

export type HistoryStep = { readonly createdBy: string; readonly bytes: number };

const UNITS: Readonly<Record<string, number>> = { B: 1, KB: 1e3, MB: 1e6, GB: 1e9 };

/**
 * The steps that made an image, the last one first, those of its base included.
 * @returns sizes to three digits: engines round them, and Podman knows no other form.
 */
export async function historyOf(engine: Engine, image: string): Promise<readonly HistoryStep[]> {
  const { code, stdout, stderr } = await engine.run(
    'history',
    '--no-trunc',
    '--format={{.Size}}\t{{.CreatedBy}}',
    image,
  );
  if (code !== 0) throw new Error(`The history of ${image} cannot be had: ${stderr}`);
  return stdout
    .trim()
    .split('\n')
    .map((line) => {
      const [size = '', ...createdBy] = line.split('\t');
      return { createdBy: createdBy.join('\t'), bytes: toBytes(size) };
    });
}

function toBytes(size: string): number {
  const [, number, unit] = /^([\d.]+) ?([kMG]?B)$/.exec(size) ?? [];
  const factor = UNITS[unit?.toUpperCase() ?? ''];
  if (factor === undefined) throw new Error(`Not a size: ${size}`);
  return Number(number) * factor;
}
