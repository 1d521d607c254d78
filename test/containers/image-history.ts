import type { Engine } from './engine.ts';

export type HistoryStep = { readonly createdBy: string; readonly bytes: number };

const UNITS: Readonly<Record<string, number>> = { B: 1, KB: 1e3, MB: 1e6, GB: 1e9 };

/**
 * Returns the steps that built an image and its base, the last one first.
 * @returns sizes with three digits, because Podman prints no more.
 */
export async function historyOf(engine: Engine, image: string): Promise<readonly HistoryStep[]> {
  const { code, stdout, stderr } = await engine.run(
    'history',
    '--no-trunc',
    '--format={{.Size}}\t{{.CreatedBy}}',
    image,
  );
  if (code !== 0) throw new Error(`The history of ${image} is not available: ${stderr}`);
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
