import { z } from 'zod';
import { isWebAddress } from './schema-parts.ts';

const ENDPOINT_WORDS = ['public', 'internal', 'accelerate', 'accelerate-overseas', 'dualstack'] as const;

const endpoint = z
  .string()
  .refine((value) => ENDPOINT_WORDS.some((word) => word === value) || isWebAddress(value), {
    abort: true,
    message: `must be one of ${ENDPOINT_WORDS.join(', ')}, or an https:// address such as https://upload.example.com`,
  })
  .refine(
    (value) => !/^https?:/.test(value) || new URL(value).origin === value.replace(/\/$/, '').toLowerCase(),
    {
      message: 'must be an origin only: scheme, host and port, without a path, query or default port',
    },
  );

/** Under which address clients reach a bucket: one of OSS's own forms, or an origin and where the bucket's name stands. */
export type TargetEndpoint =
  | (typeof ENDPOINT_WORDS)[number]
  | { readonly url: string; readonly addressing: 'virtual' | 'cname' | 'path' };

/** One entry of `targets`: a bucket and the address under which clients reach it. */
export const targetSchema = z
  .strictObject({
    bucket: z
      .string()
      .regex(
        /^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$/,
        'must be a bucket name: 3–63 of a-z, 0-9 and "-", no "-" at either end',
      ),
    region: z
      .string()
      .regex(/^(?!oss-)[a-z0-9]+(?:-[a-z0-9]+)*$/, 'must be a region id such as cn-hangzhou, without "oss-"'),
    endpoint: endpoint.default('public'),
    pathStyle: z.boolean().optional(),
  })
  .superRefine((target, context) => {
    if (target.pathStyle && !/^https?:/.test(target.endpoint)) {
      context.addIssue({ code: 'custom', path: ['pathStyle'], message: 'needs an address as endpoint' });
    } else if (target.pathStyle && new URL(target.endpoint).hostname.endsWith('.aliyuncs.com')) {
      context.addIssue({ code: 'custom', path: ['pathStyle'], message: 'is refused by the public service' });
    }
  })
  .transform(({ bucket, region, endpoint, pathStyle }) => ({
    bucket,
    region,
    endpoint: targetEndpoint(endpoint, bucket, pathStyle),
  }));

function targetEndpoint(endpoint: string, bucket: string, pathStyle: boolean | undefined): TargetEndpoint {
  const word = ENDPOINT_WORDS.find((one) => one === endpoint);
  if (word) return word;
  const url = new URL(endpoint);
  // OSS takes path style on IP addresses only; localhost stands for one. A host of OSS itself takes the bucket in front.
  const isPath = pathStyle ?? /^\[|^[\d.]+$|^localhost$/.test(url.hostname);
  const isVirtual = url.hostname.endsWith('.aliyuncs.com') && !url.hostname.startsWith(`${bucket}.`);
  return { url: url.origin, addressing: isPath ? 'path' : isVirtual ? 'virtual' : 'cname' };
}
