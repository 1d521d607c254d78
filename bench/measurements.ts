import type { RequestSample } from './measure/measure-requests.ts';
import type { SigningSample } from './measure/measure-signing.ts';
import type { StartUpSample } from './measure/measure-start-up.ts';

/** All samples of a run, in the order of the rounds. */
export type Measurements = {
  readonly requests: readonly RequestSample[];
  readonly signing: readonly SigningSample[];
  readonly startUp: readonly StartUpSample[];
};
