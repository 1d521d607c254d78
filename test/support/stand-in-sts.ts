import type { Clock } from '../../src/clock.ts';
import { createCertificate } from './certificate.ts';
import type { StandInHosts } from './redirect-hosts.ts';
import {
  type StandInRequest,
  type StandInResponse,
  type StandInServer,
  startStandInServer,
} from './stand-in-server.ts';

export const STS_HOST = 'sts.cn-hangzhou.aliyuncs.com';

export type StandInSts = {
  readonly server: StandInServer;
  readonly hosts: StandInHosts;
  /** Responds like STS: with the next credentials. */
  readonly assumeRole: (request: StandInRequest) => StandInResponse;
  /** The credentials of the responses so far. */
  readonly issued: readonly Issued[];
};

export type Issued = {
  readonly accessKeyId: string;
  readonly accessKeySecret: string;
  readonly securityToken: string;
};

/** The credentials of a generation, as STS names them. */
export function issuedCredentials(generation: number): Issued {
  return {
    accessKeyId: `STS.NT${generation}`,
    accessKeySecret: `Secret${generation}`,
    securityToken: `CAIS${generation}/with+plus==`,
  };
}

/** An STS over TLS for AssumeRoleWithOIDC (2015-04-01). Its clock decides when the credentials expire. */
export async function startStandInSts(clock: Clock, { lifeMs = 3_600_000 } = {}): Promise<StandInSts> {
  const certificate = createCertificate([STS_HOST]);
  const issued: Issued[] = [];
  const assumeRole = ({ method, url, body }: StandInRequest): StandInResponse => {
    const form = new URLSearchParams(body);
    const isRight =
      method === 'POST' &&
      url.searchParams.get('Action') === 'AssumeRoleWithOIDC' &&
      url.searchParams.get('Version') === '2015-04-01' &&
      url.searchParams.get('Format') === 'JSON' &&
      ['OIDCProviderArn', 'OIDCToken', 'RoleArn', 'RoleSessionName'].every((name) => form.get(name));
    if (!isRight) return { status: 400, body: '{"Code":"InvalidParameter","Message":"not as documented"}' };
    const credentials = issuedCredentials(issued.length + 1);
    issued.push(credentials);
    return {
      body: JSON.stringify({
        RequestId: 'stand-in',
        Credentials: {
          AccessKeyId: credentials.accessKeyId,
          AccessKeySecret: credentials.accessKeySecret,
          SecurityToken: credentials.securityToken,
          Expiration: new Date(clock().getTime() + lifeMs).toISOString().replace('.000', ''),
        },
      }),
    };
  };
  const server = await startStandInServer(assumeRole, certificate);
  return { server, issued, assumeRole, hosts: { [STS_HOST]: { port: server.port, ca: certificate.cert } } };
}

/** The variables that the pod mutator of ACK sets for RRSA. */
export function oidcEnvironment(tokenFile: string): Readonly<Record<string, string>> {
  return {
    ALIBABA_CLOUD_ROLE_ARN: 'acs:ram::1234567890123456:role/presign',
    ALIBABA_CLOUD_OIDC_PROVIDER_ARN: 'acs:ram::1234567890123456:oidc-provider/ack-rrsa',
    ALIBABA_CLOUD_OIDC_TOKEN_FILE: tokenFile,
    ALIBABA_CLOUD_STS_REGION: 'cn-hangzhou',
  };
}
