import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { onTestFinished } from 'vitest';
import { START_COMMAND } from '../../bench/processes/start-command.ts';
import { makeRequests, startSurroundings } from './busy-service.ts';

const [node, ...args] = START_COMMAND;

export type ServiceProcess = {
  readonly url: string;
  /** Makes one request of each kind; returns the statuses. */
  readonly makeRequests: () => Promise<readonly number[]>;
};

/**
 * Starts the service as in production, in its own process, with credentials that expire. It ends
 * with the test.
 */
export async function startServiceProcess(): Promise<ServiceProcess> {
  const surroundings = await startSurroundings(new Date());
  const folder = mkdtempSync(join(tmpdir(), 'oss-presign-operations-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, 'policy.yaml'), surroundings.policyYaml);
  writeFileSync(join(folder, 'service-keys.json'), surroundings.serviceKeys);
  const child = spawn(node, args, {
    cwd: folder,
    env: {
      PORT: '0',
      HOME: folder,
      SERVICE_KEYS_FILE: 'service-keys.json',
      PUBLIC_URL: 'https://presign.example.com',
      HOOK_SECRET: surroundings.hookSecret,
      ALIBABA_CLOUD_CREDENTIALS_URI: surroundings.credentialsUri,
      ALIBABA_CLOUD_ECS_METADATA_DISABLED: 'true',
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  const lines: string[] = [];
  for await (const line of createInterface(child.stdout)) {
    lines.push(line);
    const { msg, address } = JSON.parse(line);
    if (msg === 'listening') {
      child.stdout.resume();
      return { url: address, makeRequests: () => makeRequests(address, surroundings, new Date()) };
    }
  }
  throw new Error(`the service did not start:\n${lines.join('\n')}`);
}
