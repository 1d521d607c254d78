import { readFileSync } from 'node:fs';
import { presign } from '../../src/storage/oss/signing/presign.ts';
import { SigningKey } from '../../src/storage/oss/signing/signing-key.ts';
import { ossInstant } from '../../src/storage/oss/signing/string-to-sign.ts';
import type { PolicyJob, SignJob } from './sdk-program.ts';

/** A request for an SDK to sign, and the signature of our side. */
export type Question = {
  readonly name: string;
  readonly job: SignJob;
  readonly canonicalRequest: string;
  readonly signature: string;
};

type Vector = {
  readonly name: string;
  readonly input: Omit<SignJob, 'job' | 'form' | 'credentials' | 'signedAt' | 'expiresInSeconds'> & {
    readonly accessKeyId: string;
    readonly accessKeySecret: string;
    readonly securityToken?: string;
    readonly signTime: string;
    readonly expires?: number;
    /** Of a form upload. */
    readonly policyJson?: string;
  };
  readonly expected: { readonly canonicalRequest: string; readonly signature: string };
};

/** A question for each presigned URL of our vectors. The expected signature comes from our signer. */
export function urlQuestions(): readonly Question[] {
  return readVectors('query').map((vector) => askSigner(vector.name, jobOf(vector, 'query')));
}

/** A question for each Authorization header of our vectors. The expected signature is the vector's, because our signer makes URLs only. */
export function headerQuestions(): readonly Question[] {
  return readVectors('header').map((vector) => ({
    name: vector.name,
    job: jobOf(vector, 'header'),
    canonicalRequest: vector.expected.canonicalRequest,
    signature: vector.expected.signature,
  }));
}

/** One for each point in which the SDKs differ and which no vector shows. */
export function furtherQuestions(): readonly Question[] {
  const plain = urlQuestions().find(({ name }) => name === 'key-plain-content-type');
  if (!plain) throw new Error('the vectors have no plain one');
  const { job, canonicalRequest } = plain;
  const namedTwice = { headers: { abc: '1' }, additionalHeaders: ['abc', 'ABC'] };
  const emptyHeader = { ...job, headers: { ...job.headers, 'x-oss-meta-a': '' } };
  const emptyHeaderText = canonicalRequest.replace('\ncontent-type:text/plain\n', '$&x-oss-meta-a:\n');
  return [
    askSigner('parameter-with-empty-text', { ...job, query: { acl: '' } }),
    askSigner('additional-header-not-carried', { ...job, additionalHeaders: ['content-length'] }),
    askSigner('additional-header-named-twice', { ...job, ...namedTwice }),
    {
      // Our signer rejects such a header; this is the text that it would have to sign.
      name: 'header-with-empty-value',
      job: emptyHeader,
      canonicalRequest: emptyHeaderText,
      signature: signText(emptyHeader, emptyHeaderText),
    },
  ];
}

/** A question for each form upload of our vectors. The expected signature is the vector's. */
export function policyQuestions(): readonly (Pick<Question, 'name' | 'signature'> & { job: PolicyJob })[] {
  return readVectors('post-policy').map((vector) => {
    const { region, bucket, credentials, signedAt } = jobOf(vector, 'query');
    const policy = vector.input.policyJson ?? '';
    return {
      name: vector.name,
      job: { job: 'sign-policy', region, bucket, credentials, signedAt, policy },
      signature: vector.expected.signature,
    };
  });
}

/** The signature of a canonical request that our signer itself would not make. */
export function signText(job: SignJob, canonicalRequest: string): string {
  const { text, date } = ossInstant(new Date(job.signedAt));
  const key = new SigningKey(job.credentials.accessKeySecret, {
    date,
    region: job.region,
    product: job.product,
  });
  return key.sign(text, canonicalRequest);
}

function askSigner(name: string, job: SignJob): Question {
  const query = Object.fromEntries(Object.entries(job.query).map(([key, value]) => [key, value ?? '']));
  const { key, signedAt } = job;
  return {
    name,
    job,
    ...presign({ ...job, key: key ?? '', query, endpoint: 'public', signedAt: new Date(signedAt) }),
  };
}

function jobOf({ input }: Vector, form: SignJob['form']): SignJob {
  const { method, region, product, bucket, key, headers, query = {}, additionalHeaders } = input;
  const { accessKeyId, accessKeySecret, securityToken, signTime, expires = 0 } = input;
  return {
    job: 'sign',
    form,
    method,
    region,
    product,
    bucket,
    key,
    headers,
    additionalHeaders,
    credentials: { accessKeyId, accessKeySecret, ...(securityToken && { securityToken }) },
    // In a vector an empty text stands for a name without a value.
    query: Object.fromEntries(Object.entries(query).map(([name, value]) => [name, value || null])),
    signedAt: signTime,
    expiresInSeconds: expires,
  };
}

function readVectors(name: string): readonly Vector[] {
  return JSON.parse(
    readFileSync(new URL(`../storage/oss/signing/vectors/${name}.json`, import.meta.url), 'utf8'),
  ).vectors;
}
