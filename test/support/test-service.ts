import { readFileSync } from 'node:fs';
import { onTestFinished } from 'vitest';
import type { Clock } from '../../src/clock.ts';
import { createLogger } from '../../src/log/logger.ts';
import type { LogOutput } from '../../src/log/output.ts';
import { createService } from '../../src/service/service.ts';
import { loadStartupInput } from '../../src/service/startup-input.ts';
import { fixedClock } from './fixed-clock.ts';
import { createTestIssuer, type TestIssuer } from './tokens.ts';

export type TestService = {
  /** The address it listens on. */
  readonly url: string;
  /** The address of `METRICS_PORT`; the same as `url` if that is not set. */
  readonly operationsUrl: string;
  readonly issuer: TestIssuer;
  /** Each line of the log. */
  readonly log: readonly string[];
  /** Has the files read that may be replaced. */
  reloadFiles(): void;
  /** Puts another policy into the file and has it read. */
  replacePolicy(yaml: string): void;
};

/**
 * Starts a whole service on a free port, configured by environment and policy file as by an operator.
 * Its clock stands still unless `clock` is given. It stops when the test, or the hook that starts it, ends.
 */
export async function startTestService(options: {
  readonly policyYaml: string;
  readonly issuer?: TestIssuer;
  readonly env?: Readonly<Record<string, string>>;
  readonly clock?: Clock;
  /** The contents of more files. */
  readonly files?: Readonly<Record<string, () => string>>;
  readonly logOutput?: Pick<LogOutput, 'status' | 'written'>;
  readonly onStop?: (stop: () => Promise<void>) => void;
}): Promise<TestService> {
  const {
    policyYaml,
    issuer = createTestIssuer(),
    env = {},
    files = {},
    clock = fixedClock,
    onStop = onTestFinished,
  } = options;
  let inFile = policyYaml;
  const input = loadStartupInput(
    { PORT: '0', OSS_ACCESS_KEY_ID: 'LTAI5tTestKey', OSS_ACCESS_KEY_SECRET: 'TestSecret0123456789', ...env },
    (path) => {
      if (path === 'policy.yaml') return inFile;
      if (Object.hasOwn(files, path)) return files[path]?.() ?? '';
      return path.endsWith('jwks.json') ? JSON.stringify(issuer.jwks) : readFileSync(path, 'utf8');
    },
  );
  if ('faults' in input) throw new Error(input.faults.join('\n'));
  const log: string[] = [];
  const service = await createService({
    ...input,
    version: '1.2.3',
    ...(options.logOutput && { logOutput: options.logOutput }),
    logger: createLogger('info', fixedClock, { write: (line: string) => void log.push(line) }),
    clock,
    fetch: globalThis.fetch,
  });
  onStop(() => service.stop({ delaySeconds: 0 }));
  const url = await service.start();
  const listening = JSON.parse(log.find((line) => line.includes('"msg":"listening"')) ?? '{}');
  return {
    url,
    operationsUrl: listening.metricsAddress ?? url,
    issuer,
    log,
    reloadFiles: service.reloadFiles,
    replacePolicy: (yaml) => {
      inFile = yaml;
      service.reloadFiles();
    },
  };
}
