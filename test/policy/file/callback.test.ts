import { expect, it } from 'vitest';
import { faultsOf, policyOf, ruleLine, withRules } from './policy-file-text.ts';

const ruleOf = (fields: string) => policyOf(withRules(ruleLine('r', 'p/', fields))).rules[0];
const faultsWith = (fields: string) => faultsOf(withRules(ruleLine('r', 'p/', fields)));

const OWN = Buffer.from(
  JSON.stringify({ callbackUrl: 'https://app.example.com/cb', callbackBody: 'a=1' }),
).toString('base64');

it('has no callback unless the rule asks for one', () => {
  expect(ruleOf('')?.callback).toBe(false);
  expect(ruleOf('callback: false')?.callback).toBe(false);
  for (const transfers of ['[put]', '[form]', '[put, form]', '[put, multipart]', '[form, multipart]'])
    expect(ruleOf(`callback: true, transfers: ${transfers}`)?.callback).toBe(true);
});

it.each([
  ['callback: "true"', 'callback: must be true or false without quotes'],
  ['callback: https://app.example.com/', 'callback: must be true or false'],
  ['callBack: true', 'callBack: is not a field of the policy file; did you mean "callback"?'],
  [
    'callback: true, receipts: false',
    'receipts: must not be false with callback: true, because the callback sends the upload id; remove one of the two',
  ],
  [
    'callback: true, transfers: [multipart]',
    'callback: needs put or form in transfers, because the service completes multipart uploads itself; leave it out',
  ],
  ...['x-oss-callback', 'X-OSS-Callback'].map((header) => [
    `callback: true, headers: { ${header}: ${OWN} }`,
    `headers.${header}: cannot be used with callback: true, which signs a callback of the service; remove one of the two`,
  ]),
])('rejects %s', (fields, fault) => {
  expect(faultsWith(fields)).toContain(`6 rules[0].${fault}`);
});

it('leaves the headers of a callback of its own to a rule without callback: true', () => {
  expect(faultsWith(`headers: { x-oss-callback: ${OWN} }`)).toStrictEqual([]);
});
