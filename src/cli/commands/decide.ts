import { callerFromClaims } from '../../auth/caller.ts';
import { issuersOf } from '../../auth/issuer.ts';
import { ServiceError, summarizeFaults } from '../../errors.ts';
import { limitExpiry } from '../../grants/limit-expiry.ts';
import { choosePartSize } from '../../grants/multipart/part-size.ts';
import { partsOf } from '../../grants/multipart/parts.ts';
import { formUpload, objectUpload } from '../../grants/upload/object-upload.ts';
import { parseUploadRequestBody } from '../../grants/upload/request.ts';
import { decideUpload, type GrantedObject } from '../../policy/decide-upload.ts';
import type { Rule } from '../../policy/policy.ts';
import { ruleVerdicts, uploadQuestion } from '../../policy/rule-verdicts.ts';
import type { UploadRequest } from '../../policy/upload-request.ts';
import { prepareBucket } from '../../storage/oss/bucket.ts';
import { readFault } from '../../text/text-file.ts';
import { CannotRun, type CliContext, type Command } from '../command.ts';
import { OUTPUT_OPTION, writeDocument } from '../output-option.ts';
import { POLICY_OPTION, policyOf } from '../policy-option.ts';

/** Printed in place of the id that the service generates for each upload. */
const OBJECT_ID = '<UUIDv7>';

/** `oss-presign decide`: whether the policy allows a request, and why. */
export const decideCommand: Command = {
  name: 'decide',
  summary: 'show whether the policy allows a request, and why',
  description: `Prints, as JSON, whether the policy allows one upload of one caller, and why each rule does not. It starts no server,
signs nothing, and checks neither the signature nor the expiry of the token.`,
  options: {
    claims: {
      value: 'FILE',
      description: 'The claims of a token as a JSON object, with "iss" and "sub".',
      isRequired: true,
    },
    request: { value: 'FILE', description: 'The body of POST /v1/uploads.', isRequired: true },
    policy: POLICY_OPTION,
    output: OUTPUT_OPTION,
  },
  example: 'oss-presign decide --claims claims.json --request request.json --policy policy.yaml',
  exitCodes: { 0: 'granted', 1: 'denied' },
  run: async (options, context) => {
    const policy = policyOf(options, context);
    const claimed = readCaller(options.claims?.[0] ?? '', context);
    const request = readRequest(options.request?.[0] ?? '', context);
    const print = (result: object) => writeDocument(`${JSON.stringify(result, null, 2)}\n`, options, context);

    const entry = policy.issuers.find((one) => issuersOf(one).some(({ iss }) => iss === claimed.issuer));
    if (!entry) {
      const trusted = policy.issuers.map(({ issuer }) => issuer).join(', ');
      const detail = `The policy trusts no issuer ${JSON.stringify(claimed.issuer)}; it names ${trusted}.`;
      print({ outcome: 'denied', code: 'unauthenticated', detail });
      return 1;
    }
    const caller = entry.tenants ? { ...claimed, issuerTemplate: entry.issuer } : claimed;
    const decision = decideUpload(policy, caller, request, () => OBJECT_ID);
    const rules = ruleVerdicts(policy, caller, uploadQuestion(request, caller));
    if (decision.allowed) {
      print({ outcome: 'granted', ...describeGrant(decision.grant, request), rules });
      return 0;
    }
    const { violations } = decision;
    print({
      outcome: 'denied',
      code: 'policy_denied',
      detail: summarizeFaults(violations),
      violations,
      rules,
    });
    return 1;
  },
};

/** The part of the service's response that comes from the policy: no signature, no times. */
function describeGrant({ rule, key, grantId }: GrantedObject, request: UploadRequest): object {
  const isMultipart = request.transfer === 'multipart';
  const { expiresInSeconds, limitedBy } = limitExpiry(
    request.expiresIn,
    isMultipart ? rule.uploadExpiresInSeconds : rule.expiresIn.defaultSeconds,
    undefined,
  );
  return {
    rule: rule.name,
    key,
    bucket: rule.target.bucket,
    region: rule.target.region,
    target: rule.target.name,
    transfer: request.transfer,
    ...transferOf(rule, request, { key, grantId }),
    contentLength: request.contentLength ?? null,
    expires: expiresInSeconds,
    expiresLimitedBy: limitedBy,
  };
}

/** The headers or fields that a client sends, or the parts that it gets signed later. */
function transferOf(
  rule: Rule,
  request: UploadRequest,
  granted: Pick<GrantedObject, 'key' | 'grantId'>,
): object {
  const uploads = prepareBucket(rule.target).prepareUploads(rule.headers);
  switch (request.transfer) {
    case 'put':
      return { headers: uploads.headers(objectUpload(rule, request, granted)) };
    case 'form':
      return { fields: uploads.formFields(formUpload(rule, request, granted)) };
    case 'multipart': {
      const { contentLength = 0 } = request;
      const partSize = choosePartSize(contentLength, request.partSize, rule.partSize);
      return { partSize, partCount: partsOf(contentLength, partSize).partCount };
    }
  }
}

function readCaller(path: string, context: CliContext) {
  const claims = readJson('--claims', path, context);
  if (typeof claims !== 'object' || claims === null || Array.isArray(claims))
    throw new CannotRun(`--claims ${path} is not a JSON object.`);
  try {
    return callerFromClaims(claims as Readonly<Record<string, unknown>>);
  } catch {
    throw new CannotRun(`--claims ${path} must have "iss" and "sub", both strings that are not empty.`);
  }
}

function readRequest(path: string, context: CliContext): UploadRequest {
  try {
    return parseUploadRequestBody(readJson('--request', path, context));
  } catch (error) {
    if (!(error instanceof ServiceError)) throw error;
    const faults = error.errors?.map(({ pointer, detail }) => `${pointer}: ${detail}`) ?? [error.detail];
    throw new CannotRun(...faults.map((fault) => `--request ${path} ${fault}`));
  }
}

function readJson(option: string, path: string, { readFile }: CliContext): unknown {
  let text: string;
  try {
    text = readFile(path);
  } catch (error) {
    throw new CannotRun(`${option} ${path} ${readFault(error)}.`);
  }
  try {
    return JSON.parse(text.replace(/^\uFEFF/, ''));
  } catch (error) {
    throw new CannotRun(`${option} ${path} ${jsonFault(text, error as Error)}.`);
  }
}

/** The reason why a text is not JSON. It contains nothing of the text, which may be a token. */
function jsonFault(text: string, error: Error): string {
  if (text.trim() === '') return 'is empty';
  if (/^\s*(Bearer\s+)?eyJ[\w-]+\.[\w-]*\.[\w-]*\s*$/.test(text))
    return 'holds a token. Write its decoded payload into the file, as JSON';
  const [at = ''] = / \(line \d+ column \d+\)/.exec(error.message) ?? [];
  return `is not JSON${at}`;
}
