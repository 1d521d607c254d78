import type { Measurements } from '../measurements.ts';
import type { Plan } from '../plan.ts';
import type { Cores } from '../processes/cores.ts';
import { prepareStage } from '../setup/setup.ts';
import { measureRequests, type RequestSample } from './measure-requests.ts';
import { measureSigning, type SigningSample } from './measure-signing.ts';
import { measureStartUp, type StartUpSample } from './measure-start-up.ts';
import { prepareTools, type Tools } from './prepare-tools.ts';
import { callersNeeded } from './request-loads.ts';
import { serverCommands } from './server-commands.ts';

/** What came of a plan, and what had to be left out, a sentence each. */
export type Outcome = {
  readonly measurements: Measurements;
  readonly leftOut: readonly string[];
  readonly goIsThere: boolean;
};

/**
 * Measures what the plan says in interleaved rounds: each round has everything once, so that a slow minute of the machine
 * falls on all alike.
 * @param tell is told how far it is.
 */
export async function measureAll(
  plan: Plan,
  cores: Cores,
  tell: (progress: string) => void,
): Promise<Outcome> {
  const { rounds, seconds, loads, parts, startUps } = plan;
  const requests: RequestSample[] = [];
  const signing: SigningSample[] = [];
  const startUp: StartUpSample[] = [];

  tell('making keys and tokens');
  const stage = await prepareStage({ callers: callersNeeded(Object.values(loads).flat()) });
  let tools: Tools | undefined;
  try {
    tools = await prepareTools(plan, stage.folder, cores);
    const servers = serverCommands(stage, tools);
    const loaded = servers.filter(({ name }) => loads[name]);
    for (let round = 1; round <= rounds; round++) {
      tell(`round ${round} of ${rounds}`);
      requests.push(...(await measureRequests({ round, seconds, servers: loaded, loads, stage, cores })));
      if (parts.includes('signing')) signing.push(await measureSigning(cores, stage.folder, tools.goPeer));
    }
    if (parts.includes('start-up')) {
      tell('start-up');
      const started = servers.filter(({ name }) => name !== 'valkey' && name !== 'node-http');
      for (let turn = 0; turn < startUps; turn++) startUp.push(...(await measureStartUp(started, cores)));
    }
  } finally {
    await tools?.stop();
    stage.remove();
  }
  return {
    measurements: { requests, signing, startUp },
    leftOut: tools.missing,
    goIsThere: tools.goPeer !== undefined,
  };
}
