import type { RatioName, Ratios } from './ratios.ts';

/** The lowest allowed value of each ratio. */
export type Floor = Readonly<Partial<Record<RatioName, number>>>;

/** One sentence for each ratio that is below its floor or was not measured. */
export function belowFloor(ratios: Ratios, floor: Floor): readonly string[] {
  return (Object.entries(floor) as [RatioName, number][]).flatMap(([name, lowest]) => {
    const ratio = ratios[name];
    if (ratio === undefined) return [`${name} has a floor of ${lowest} and was not measured`];
    return ratio < lowest ? [`${name} is ${ratio.toFixed(3)}, below its floor of ${lowest}`] : [];
  });
}
