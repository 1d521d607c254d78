import type { Measurements } from '../measurements.ts';
import type { Plan } from '../plan.ts';
import type { Cores } from '../processes/cores.ts';
import { prepareSetup } from '../setup/setup.ts';
import { measureRequests, type RequestSample } from './measure-requests.ts';
import { measureSigning, type SigningSample } from './measure-signing.ts';
import { measureStartUp, type StartUpSample } from './measure-start-up.ts';
import { prepareTools, type Tools } from './prepare-tools.ts';
import { callersNeeded } from './request-loads.ts';
import { serverCommands } from './server-commands.ts';

/** The results of a plan, and what was left out, one sentence each. */
export type Outcome = {
  readonly measurements: Measurements;
  readonly leftOut: readonly string[];
  readonly goIsThere: boolean;
};

/**
 * Measures the servers and parts of the plan in interleaved rounds: each round has everything once,
 * so that a slow minute of the machine affects all equally.
 * @param report is called with the progress.
 */
export async function measureAll(
  plan: Plan,
  cores: Cores,
  report: (progress: string) => void,
): Promise<Outcome> {
  const { rounds, seconds, loads, parts, startUps } = plan;
  const requests: RequestSample[] = [];
  const signing: SigningSample[] = [];
  const startUp: StartUpSample[] = [];

  report('making keys and tokens');
  const setup = await prepareSetup({ callers: callersNeeded(Object.values(loads).flat()) });
  let tools: Tools | undefined;
  try {
    tools = await prepareTools(plan, setup.folder, cores);
    const servers = serverCommands(setup, tools);
    const loaded = servers.filter(({ name }) => loads[name]);
    for (let round = 1; round <= rounds; round++) {
      report(`round ${round} of ${rounds}`);
      requests.push(...(await measureRequests({ round, seconds, servers: loaded, loads, setup, cores })));
      if (parts.includes('signing')) signing.push(await measureSigning(cores, setup.folder, tools.goPeer));
    }
    if (parts.includes('start-up')) {
      report('start-up');
      const started = servers.filter(({ name }) => name !== 'valkey' && name !== 'node-http');
      for (let start = 0; start < startUps; start++) startUp.push(...(await measureStartUp(started, cores)));
    }
  } finally {
    await tools?.stop();
    setup.remove();
  }
  return {
    measurements: { requests, signing, startUp },
    leftOut: tools.missing,
    goIsThere: tools.goPeer !== undefined,
  };
}
