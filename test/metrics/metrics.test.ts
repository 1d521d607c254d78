import { setImmediate } from 'node:timers/promises';
import { expect, it, vi } from 'vitest';
import { createMetrics, type MetricsSources } from '../../src/metrics/metrics.ts';
import { now } from '../support/fixed-clock.ts';

function sourcesWith(changes: Partial<MetricsSources> = {}): MetricsSources {
  return {
    credentials: { describe: () => ({ ok: true, detail: 'static' }), expiresAt: () => undefined },
    issuers: () => [{ issuer: 'https://login.test/', keysLoaded: true }],
    policy: () => ({ version: 'abc', rules: 2, loadedAt: now }),
    notifyingRules: () => [],
    serviceKeys: () => ({
      signingKid: 'a',
      keys: 2,
      isShared: true,
      loadedAt: now,
      isFileRejected: false,
    }),
    limiter: { mode: () => 'memory' },
    isReady: () => true,
    logOutput: () => ({ lostLines: 0, fault: undefined }),
    build: {
      version: '1.2.3',
      nodeVersion: 'v24.0.0',
      credentialsSource: 'environment',
      limiterMode: 'memory',
      corsOrigins: 2,
    },
    ...changes,
  };
}

async function linesOf(
  changes: Partial<MetricsSources> = {},
  act = (_: ReturnType<typeof createMetrics>) => {},
) {
  const metrics = createMetrics(sourcesWith(changes), { seconds: () => 0, includeProcessMetrics: false });
  act(metrics);
  const { text } = await metrics.render();
  return text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
}

const seriesOf = (lines: readonly string[], name: string) =>
  lines
    .filter((line) => line.startsWith(`oss_presign_${name}`))
    .map((line) => line.replace('oss_presign_', ''));

it('reports the state of every dependency', async () => {
  const lines = await linesOf();
  expect(seriesOf(lines, '').filter((line) => !/_(bucket|sum|count)/.test(line))).toStrictEqual([
    'policy_reloads_total{result="applied"} 0',
    'policy_reloads_total{result="refused"} 0',
    'ready 1',
    'log_output_usable 1',
    'credentials_usable 1',
    'credentials_expiry_timestamp_seconds +Inf',
    'issuer_keys_loaded{issuer="https://login.test/"} 1',
    'issuer_keys_failing{issuer="https://login.test/"} 0',
    'build_info{version="1.2.3",node_version="v24.0.0",policy_version="abc",credentials_source="environment",limiter_mode="memory",cors_origins="2"} 1',
    'policy_info{version="abc"} 1',
    'policy_rules 2',
    `policy_loaded_timestamp_seconds ${now.getTime() / 1000}`,
    'policy_file_refused 0',
    'service_keys 2',
    'service_keys_shared 1',
    `service_keys_loaded_timestamp_seconds ${now.getTime() / 1000}`,
    'service_keys_file_rejected 0',
    'limiter_mode{mode="redis"} 0',
    'limiter_mode{mode="memory"} 1',
    'limiter_mode{mode="degraded"} 0',
    'log_lines_lost_total 0',
    ...[
      ...['HeadObject', 'InitiateMultipartUpload', 'ListParts'],
      ...['CompleteMultipartUpload', 'AbortMultipartUpload'],
    ].flatMap((operation) =>
      ['ok', 'absent', 'busy', 'unreachable', 'denied', 'invalid_response'].map(
        (outcome) => `storage_calls_total{operation="${operation}",outcome="${outcome}"} 0`,
      ),
    ),
    'storage_calls_in_progress 0',
  ]);
});

it('reports faults', async () => {
  const lines = await linesOf({
    credentials: { describe: () => ({ ok: false, detail: '' }), expiresAt: () => now },
    issuers: () => [
      {
        issuer: 'https://login.test/',
        keysLoaded: false,
        lastError: 'cannot resolve login.test (ENOTFOUND)',
      },
      { issuer: 'https://other.test/', keysLoaded: true, fetchedAt: now },
    ],
    policy: () => ({ version: 'abc', rules: 1, loadedAt: now, refusedVersion: 'bad' }),
    limiter: { mode: () => 'degraded' },
    isReady: () => false,
    logOutput: () => ({ lostLines: 7, fault: 'ENOSPC' }),
  });
  for (const line of [
    'ready 0',
    'log_output_usable 0',
    'log_lines_lost_total 7',
    'credentials_usable 0',
    `credentials_expiry_timestamp_seconds ${now.getTime() / 1000}`,
    'issuer_keys_loaded{issuer="https://login.test/"} 0',
    'issuer_keys_failing{issuer="https://login.test/"} 1',
    `issuer_keys_fetched_timestamp_seconds{issuer="https://other.test/"} ${now.getTime() / 1000}`,
    'policy_file_refused 1',
    'limiter_mode{mode="degraded"} 1',
  ]) {
    expect(lines).toContain(`oss_presign_${line}`);
  }
});

it('drops the version and the issuers of a policy that is no longer active', async () => {
  let version = 'old';
  const metrics = createMetrics(
    sourcesWith({
      policy: () => ({ version, rules: 1, loadedAt: now }),
      issuers: () => [{ issuer: `https://${version}.test/`, keysLoaded: true }],
    }),
    { seconds: () => 0, includeProcessMetrics: false },
  );
  expect((await metrics.render()).text).toContain('version="old"');
  version = 'new';
  const { text } = await metrics.render();
  expect(text).toContain('policy_info{version="new"} 1');
  expect(text).toMatch(/^oss_presign_build_info\{.*policy_version="new".*\} 1$/m);
  expect(text).not.toMatch(/old\.test|"old"/);
});

it('counts decisions by rule and reason', async () => {
  const lines = await linesOf({}, ({ observer, policyReloaded }) => {
    observer.decided({ outcome: 'granted', rule: 'photos', reasons: [] });
    observer.decided({ outcome: 'granted', rule: 'photos', reasons: [] });
    observer.decided({ outcome: 'limited', rule: 'photos', reasons: ['requestsPerMinute'] });
    observer.decided({ outcome: 'denied', rule: 'photos', reasons: ['too_large', 'metadata_missing'] });
    observer.decided({ outcome: 'denied', reasons: ['no_matching_rule'] });
    observer.completed({ outcome: 'stored', rule: 'photos' });
    observer.completed({ outcome: 'stored', rule: 'photos' });
    observer.completed({ outcome: 'mismatch', rule: 'photos' });
    observer.completed({ outcome: 'invalid' });
    observer.rejected('rate_limited');
    observer.rejected('unauthenticated');
    policyReloaded('refused');
  });
  expect([
    ...seriesOf(lines, 'grants'),
    ...seriesOf(lines, 'denials'),
    ...seriesOf(lines, 'completions'),
    ...seriesOf(lines, 'rejections'),
    ...seriesOf(lines, 'policy_reloads'),
  ]).toStrictEqual([
    'grants_total{rule="photos"} 2',
    'denials_total{rule="photos",code="too_large"} 1',
    'denials_total{rule="photos",code="metadata_missing"} 1',
    'denials_total{rule="none",code="no_matching_rule"} 1',
    'completions_total{rule="photos",outcome="stored"} 2',
    'completions_total{rule="photos",outcome="mismatch"} 1',
    'completions_total{rule="none",outcome="invalid"} 1',
    'rejections_total{code="rate_limited"} 1',
    'rejections_total{code="unauthenticated"} 1',
    'policy_reloads_total{result="applied"} 0',
    'policy_reloads_total{result="refused"} 1',
  ]);
});

it('counts the keys of requests for downloads by rule and outcome', async () => {
  const lines = await linesOf({}, ({ observer }) => {
    observer.decidedKeys([
      { outcome: 'granted', rule: 'a', count: 998 },
      { outcome: 'denied', count: 2 },
    ]);
    observer.decidedKeys([{ outcome: 'granted', rule: 'a', count: 1 }]);
    observer.decidedKeys([{ outcome: 'limited', rule: 'a', count: 1 }]);
  });
  expect(seriesOf(lines, 'downloads_total')).toStrictEqual([
    'downloads_total{rule="a",outcome="granted"} 999',
    'downloads_total{rule="",outcome="denied"} 2',
    'downloads_total{rule="a",outcome="limited"} 1',
  ]);
});

it('counts the slowest response, to a call that completes an upload, in a bucket with a bound', async () => {
  const route = '/v1/uploads/complete';
  const lines = await linesOf({}, ({ observer }) =>
    observer.responded({ method: 'POST', route, status: 200, seconds: 72 }),
  );
  const counts = seriesOf(lines, 'http_request_duration_seconds_bucket')
    .filter((line) => line.includes(route))
    .map((line) => [/le="([^"]*)"/.exec(line)?.[1], line.split(' ').at(-1)]);
  expect(counts.slice(-4)).toStrictEqual([
    ['10', '0'],
    ['30', '0'],
    ['75', '1'],
    ['+Inf', '1'],
  ]);
});

it('times a signing function, and returns its result', async () => {
  let seconds = 100;
  const metrics = createMetrics(sourcesWith(), { seconds: () => seconds, includeProcessMetrics: false });
  const sign = metrics.timeSigning((text: string) => {
    seconds += 0.00015;
    return `${text} signed`;
  });
  expect(sign('this')).toBe('this signed');
  const { text } = await metrics.render();
  expect(text).toContain('signing_duration_seconds_bucket{le="0.0001"} 0');
  expect(text).toContain('signing_duration_seconds_bucket{le="0.0002"} 1');
});

it('includes process metrics if they are enabled', async () => {
  const metrics = createMetrics(sourcesWith(), { seconds: () => 0, includeProcessMetrics: true });
  await setImmediate();
  await vi.waitFor(async () =>
    expect((await metrics.render()).text).toMatch(/^nodejs_eventloop_lag_p99_seconds \d/m),
  );
  expect((await metrics.render()).text).toMatch(/^process_resident_memory_bytes \d/m);
});

it('counts and times the calls to the storage, and those in progress', async () => {
  let seconds = 0;
  const metrics = createMetrics(sourcesWith(), { seconds: () => seconds, includeProcessMetrics: false });
  const { callStarted } = metrics.storageObserver;
  const storageLines = async () =>
    (await metrics.render()).text
      .split('\n')
      .filter((line) => line.startsWith('oss_presign_storage_') && !/ 0$/.test(line));
  const [first, second] = [callStarted('HeadObject'), callStarted('HeadObject')];
  expect(await storageLines()).toStrictEqual(['oss_presign_storage_calls_in_progress 2']);
  seconds = 0.2;
  first('absent');
  seconds = 6;
  second('unreachable');
  const completion = callStarted('CompleteMultipartUpload');
  seconds = 66;
  completion('ok');
  expect(await storageLines()).toStrictEqual([
    'oss_presign_storage_calls_total{operation="HeadObject",outcome="absent"} 1',
    'oss_presign_storage_calls_total{operation="HeadObject",outcome="unreachable"} 1',
    'oss_presign_storage_calls_total{operation="CompleteMultipartUpload",outcome="ok"} 1',
    ...['0.25', '0.5', '1', '2.5', '5'].map(
      (le) => `oss_presign_storage_call_seconds_bucket{le="${le}",operation="HeadObject"} 1`,
    ),
    ...['10', '20', '30', '60'].map(
      (le) => `oss_presign_storage_call_seconds_bucket{le="${le}",operation="HeadObject"} 2`,
    ),
    'oss_presign_storage_call_seconds_bucket{le="+Inf",operation="HeadObject"} 2',
    'oss_presign_storage_call_seconds_sum{operation="HeadObject"} 6.2',
    'oss_presign_storage_call_seconds_count{operation="HeadObject"} 2',
    ...['60', '+Inf'].map(
      (le) => `oss_presign_storage_call_seconds_bucket{le="${le}",operation="CompleteMultipartUpload"} 1`,
    ),
    'oss_presign_storage_call_seconds_sum{operation="CompleteMultipartUpload"} 60',
    'oss_presign_storage_call_seconds_count{operation="CompleteMultipartUpload"} 1',
  ]);
});

it('counts and times notifications, and begins the counts of rules with a receiver at 0', async () => {
  let seconds = 0;
  let rules = ['photos'];
  const metrics = createMetrics(sourcesWith({ notifyingRules: () => rules }), {
    seconds: () => seconds,
    includeProcessMetrics: false,
  });
  const lines = async () =>
    (await metrics.render()).text.split('\n').filter((line) => line.startsWith('oss_presign_notification'));
  const count = (rule: string, outcome: string, value: number) =>
    `oss_presign_notifications_total{rule="${rule}",outcome="${outcome}"} ${value}`;
  const before = await lines();
  expect(before).toStrictEqual(
    expect.arrayContaining(
      ['delivered', 'rejected', 'failed', 'busy'].map((outcome) => count('photos', outcome, 0)),
    ),
  );
  const { notificationStarted } = metrics.notificationObserver;
  const [delivered, failed] = [notificationStarted('photos'), notificationStarted('photos')];
  notificationStarted('photos')('busy');
  seconds = 0.2;
  delivered('delivered');
  seconds = 3;
  failed('failed');
  rules = ['photos', 'videos'];
  const after = await lines();
  for (const line of [
    count('photos', 'delivered', 1),
    count('photos', 'rejected', 0),
    count('photos', 'failed', 1),
    count('photos', 'busy', 1),
    count('videos', 'delivered', 0),
    'oss_presign_notification_seconds_bucket{le="0.1"} 0',
    'oss_presign_notification_seconds_bucket{le="0.25"} 1',
    'oss_presign_notification_seconds_bucket{le="5"} 2',
    'oss_presign_notification_seconds_sum 3.2',
    'oss_presign_notification_seconds_count 2',
  ])
    expect(after).toContain(line);
});
