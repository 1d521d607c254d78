import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { onTestFinished } from 'vitest';
import { START_COMMAND } from '../../bench/processes/start-command.ts';
import type { TestIssuer } from './tokens.ts';

const [node, ...args] = START_COMMAND;

export type ServiceProcess = {
  readonly url: string;
  readonly child: ChildProcess;
  /** The address of probes and metrics: `url`, unless METRICS_PORT is set. */
  readonly operationsUrl: string;
  /** The folder of `policy.yaml` and `jwks.json`. */
  readonly folder: string;
  /** The value of a metric without labels. */
  metric(name: string): Promise<number>;
};

/** Starts the service as a process on a free port. It is killed when the test ends; its log is discarded. */
export async function startServiceProcess(
  issuer: TestIssuer,
  policyYaml: string,
  env: Readonly<Record<string, string>> = {},
): Promise<ServiceProcess> {
  const folder = mkdtempSync(join(tmpdir(), 'oss-presign-test-'));
  writeFileSync(join(folder, 'policy.yaml'), policyYaml);
  writeFileSync(join(folder, 'jwks.json'), JSON.stringify(issuer.jwks));
  const child = spawn(node, args, {
    cwd: folder,
    env: {
      PORT: '0',
      SHUTDOWN_DELAY_SECONDS: '0',
      OSS_ACCESS_KEY_ID: 'LTAI5tTestKey',
      OSS_ACCESS_KEY_SECRET: 'TestSecret0123456789',
      ...env,
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => {
    child.kill('SIGKILL');
    rmSync(folder, { recursive: true });
  });
  for await (const line of createInterface(child.stdout)) {
    const { msg, address, metricsAddress = address } = JSON.parse(line);
    if (msg !== 'listening') continue;
    child.stdout.resume();
    return {
      url: address,
      operationsUrl: metricsAddress,
      child,
      folder,
      metric: (name) => readMetric(metricsAddress, name),
    };
  }
  throw new Error('the service ended before it listened');
}

async function readMetric(url: string, name: string): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text();
  const value = text.match(new RegExp(`^${name} (.+)$`, 'm'))?.[1];
  if (value === undefined) throw new Error(`there is no metric ${name}`);
  return Number(value);
}

/** A POST as it goes over the wire. */
export function uploadRequest(token: string, body: object, path = '/v1/uploads'): string {
  const text = JSON.stringify(body);
  return [
    `POST ${path} HTTP/1.1`,
    'Host: presign.test',
    `Authorization: Bearer ${token}`,
    'Content-Type: application/json',
    `Content-Length: ${Buffer.byteLength(text)}`,
    '',
    text,
  ].join('\r\n');
}

/** A token for the clock of the machine, on which the process runs; good for an hour. */
export function signForNow(
  issuer: TestIssuer,
  claims: Readonly<Record<string, unknown>> = {},
): Promise<string> {
  const seconds = Math.floor(Date.now() / 1000);
  return issuer.sign({ iat: seconds, nbf: seconds - 60, exp: seconds + 3600, ...claims });
}
