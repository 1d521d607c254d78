import type { Clock } from '../../src/clock.ts';
import type { StandInHosts } from '../support/redirect-hosts.ts';
import { type Respond, type StandInServer, startStandInServer } from '../support/stand-in-server.ts';

const PATH = '/latest/meta-data/ram/security-credentials/';

export type StandInMetadata = {
  readonly server: StandInServer;
  readonly hosts: StandInHosts;
  /** Responds as on a machine with a role. */
  readonly respond: Respond;
};

/** Starts the metadata server of an ECS machine in hardened mode, which requires a session token. */
export async function startStandInMetadata(
  clock: Clock,
  { role = 'presign' } = {},
): Promise<StandInMetadata> {
  const respond: Respond = ({ method, url, headers }) => {
    if (method === 'PUT' && url.pathname === '/latest/api/token') {
      const isRight = headers['x-aliyun-ecs-metadata-token-ttl-seconds'] === '21600';
      return isRight ? { body: 'metadata-session' } : { status: 400, body: 'no time to live' };
    }
    if (headers['x-aliyun-ecs-metadata-token'] !== 'metadata-session')
      return { status: 403, body: 'no token' };
    if (url.pathname === PATH) return { body: role };
    if (url.pathname !== `${PATH}${role}`) return { status: 404, body: 'not found' };
    return {
      body: JSON.stringify({
        Code: 'Success',
        AccessKeyId: 'STS.NTmachine',
        AccessKeySecret: 'MachineSecret',
        SecurityToken: 'CAISmachine',
        Expiration: new Date(clock().getTime() + 6 * 3_600_000).toISOString().replace('.000', ''),
      }),
    };
  };
  const server = await startStandInServer(respond);
  return { server, respond, hosts: { '100.100.100.200': { port: server.port } } };
}
