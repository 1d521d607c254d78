import { expect, it } from 'vitest';
import { faultsOf, policyOf, withRules } from './policy-file-text.ts';

const COMMON = 'name: r, who: { scope: s }, target: media, prefix: "p/"';
const UPLOADS = 'contentTypes: [image/*], maxSize: 1MiB';

it.each<[string, string, readonly string[]]>([
  ['no actions', `${COMMON}, ${UPLOADS}`, ['upload']],
  [
    'every action',
    `${COMMON}, ${UPLOADS}, actions: [upload, download, confirm]`,
    ['upload', 'download', 'confirm'],
  ],
  ['an action twice', `${COMMON}, actions: [download, download]`, ['download']],
  ['downloads only', `${COMMON}, actions: [download], inline: true, expiresIn: 5m`, ['download']],
  ['confirmation only', `${COMMON}, actions: [confirm], limits: { requestsPerMinute: 6000 }`, ['confirm']],
])('accepts a rule with %s', (_title, fields, actions) => {
  expect(policyOf(withRules(`{ ${fields} }`)).rules[0]?.actions).toStrictEqual(actions);
});

it('gives a rule without uploads nothing that an upload could match', () => {
  const [rule] = policyOf(withRules(`{ ${COMMON}, actions: [download] }`)).rules;
  expect(rule).toMatchObject({ contentTypes: [], maxSize: 0 });
});

it.each([
  ['naming', 'naming: server'],
  ['keepFilename', 'keepFilename: true'],
  ['transfers', 'transfers: [put]'],
  ['partSize', 'partSize: 8MiB'],
  ['uploadExpiresIn', 'uploadExpiresIn: 1d'],
  ['contentTypes', 'contentTypes: [image/*]'],
  ['maxSize', 'maxSize: 1MiB'],
  ['metadata', 'metadata: { allowed: [a] }'],
  ['overwrite', 'overwrite: true'],
  ['clientHeaders', 'clientHeaders: [cacheControl]'],
  ['headers', 'headers: { Cache-Control: no-store }'],
  ['receipts', 'receipts: false'],
  ['receiptAudience', 'receiptAudience: app'],
  ['receiptExpiresIn', 'receiptExpiresIn: 2h'],
  ['callback', 'callback: true'],
  ['limits.bytesPerDay', 'limits: { bytesPerDay: 1GiB }'],
])('rejects %s in a rule without uploads', (path, field) => {
  for (const action of ['download', 'confirm'])
    expect(faultsOf(withRules(`{ ${COMMON}, actions: [${action}], ${field} }`))).toStrictEqual([
      `6 rules[0].${path}: means nothing without upload in actions; leave it out`,
    ]);
});

it.each([
  [
    '[upload]',
    `${UPLOADS}, inline: true`,
    ['inline: means nothing without download in actions; leave it out'],
  ],
  ['[confirm]', 'inline: false', ['inline: means nothing without download in actions; leave it out']],
  [
    '[confirm]',
    'expiresIn: 5m',
    ['expiresIn: means nothing without upload or download in actions; leave it out'],
  ],
  ['[upload]', '', ['contentTypes: is missing', 'maxSize: is missing']],
  ['[download, upload]', 'maxSize: 1MiB', ['contentTypes: is missing']],
  [
    '[upload]',
    `${UPLOADS}, receiptExpiresIn: 8d`,
    ['receiptExpiresIn: must not be longer than 7 days (604800 s)'],
  ],
  ['[]', UPLOADS, ['actions: must name at least one action']],
  ['upload', UPLOADS, ['actions: must be a list, such as [upload]']],
  ['[uploads]', UPLOADS, ['actions[0]: must be one of upload, download, confirm; did you mean "upload"?']],
])('rejects a rule with actions: %s and %j', (actions, fields, faults) => {
  const rule = `{ ${COMMON}, actions: ${actions}${fields && `, ${fields}`} }`;
  expect(faultsOf(withRules(rule))).toStrictEqual(faults.map((fault) => `6 rules[0].${fault}`));
});
