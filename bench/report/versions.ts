import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { arch, cpus, totalmem, type } from 'node:os';
import process from 'node:process';
import packageJson from '../../package.json' with { type: 'json' };

/**
 * Describes the run: a line of versions and a line about the machine, without anything that
 * identifies its owner.
 */
export function describeRun(goIsThere: boolean): readonly string[] {
  const { dependencies, devDependencies } = packageJson;
  const goModules = readFileSync(new URL('../peers/go/go.mod', import.meta.url), 'utf8');
  const goModule = (name: string) => new RegExp(`${name} v(\\S+)`).exec(goModules)?.[1];
  const versions = [
    `Node ${process.versions.node}`,
    `fastify ${dependencies.fastify}`,
    `zod ${dependencies.zod}`,
    `jose ${dependencies.jose}`,
    `ali-oss ${devDependencies['ali-oss']}`,
    `@aws-sdk/s3-request-presigner ${devDependencies['@aws-sdk/s3-request-presigner']}`,
    ...(goIsThere
      ? [
          execFileSync('go', ['env', 'GOVERSION'], { encoding: 'utf8' }).trim().replace('go', 'Go '),
          `OSS Go SDK V2 ${goModule('alibabacloud-oss-go-sdk-v2')}`,
          `golang-jwt ${goModule('jwt/v5')}`,
        ]
      : []),
  ];
  const gibibytes = Math.round(totalmem() / 1024 ** 3);
  const machine = `${cpus()[0]?.model.trim() ?? 'unknown processor'}, ${cpus().length} cores, ${gibibytes} GiB, ${type()} ${arch()}`;
  return [`Versions: ${versions.join(', ')}.`, `Machine: ${machine}.`];
}
