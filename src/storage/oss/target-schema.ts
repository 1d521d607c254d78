import { z } from 'zod';
import { webAddressFault } from '../../net/web-address.ts';
import { closestName } from '../../text/suggest.ts';
import { ENDPOINT_WORDS, type Endpoint } from './endpoint.ts';
import { parseOssHost } from './regions.ts';

const endpoint = z
  .string()
  .refine(
    (value) => ENDPOINT_WORDS.some((word) => word === value) || (isAddress(value) && URL.canParse(value)),
    {
      abort: true,
      error: ({ input }) => {
        const closest = closestName(String(input), ENDPOINT_WORDS);
        const hint = closest === undefined ? '' : `; did you mean "${closest}"?`;
        return `must be one of ${ENDPOINT_WORDS.join(', ')}, or an https:// address such as https://upload.example.com${hint}`;
      },
    },
  )
  .refine((value) => !isAddress(value) || new URL(value).origin === value.replace(/\/$/, '').toLowerCase(), {
    message: 'must be an origin only: scheme, host and port, without a path, query or default port',
  });

/** One entry of `targets`: a bucket and the addresses under which it is reached. */
export const targetSchema = z
  .strictObject({
    bucket: z
      .string()
      .regex(
        /^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$/,
        'must be a bucket name: 3–63 of a-z, 0-9 and "-", no "-" at either end',
      )
      .meta({ description: 'The name of the bucket.' }),
    region: z
      .string()
      .max(63)
      .regex(
        /^(?!oss-)(?!.*-internal$)[a-z0-9]+(?:-[a-z0-9]+)*$/,
        'must be a region id such as cn-hangzhou, without "oss-" or "-internal"',
      )
      .refine((region) => !ENDPOINT_WORDS.some((word) => word === region), {
        message: "must be the bucket's own region, such as cn-hangzhou; this word belongs to endpoint",
      })
      .meta({ description: 'The bucket’s own region, such as cn-hangzhou.' }),
    endpoint: endpoint.default('public').meta({
      description:
        'How clients reach the bucket: a word for OSS’s own endpoints, or the https address of a domain.',
    }),
    serviceEndpoint: endpoint.optional().meta({
      description: 'How the service itself reaches the bucket, such as internal. By default as clients do.',
    }),
    pathStyle: z.boolean().optional().meta({
      description: 'Puts the bucket into the path. By default for localhost and IP addresses only.',
    }),
    insecureHttp: z
      .boolean()
      .default(false)
      .meta({ description: 'Allows plain http to a host that is neither local nor private.' }),
  })
  .superRefine((target, context) => {
    const report = (field: 'endpoint' | 'serviceEndpoint' | 'pathStyle', message: string) =>
      context.addIssue({ code: 'custom', path: [field], message });
    const addresses: string[] = [];
    for (const field of ['endpoint', 'serviceEndpoint'] as const) {
      const address = target[field];
      if (address === undefined || !isAddress(address)) continue;
      addresses.push(address);
      const fault = webAddressFault(address, target) ?? endpointFault(address, target);
      if (fault !== undefined) report(field, fault);
    }
    if (!target.pathStyle) return;
    if (addresses.length === 0) report('pathStyle', 'needs an address (https://…) as endpoint');
    else if (addresses.some((address) => new URL(address).hostname.endsWith('.aliyuncs.com')))
      report('pathStyle', 'must be false for OSS, which rejects path style');
  })
  .transform(({ bucket, region, endpoint, serviceEndpoint = endpoint, pathStyle }) => ({
    bucket,
    region,
    endpoint: targetEndpoint(endpoint, bucket, pathStyle),
    serviceEndpoint: targetEndpoint(serviceEndpoint, bucket, pathStyle),
  }));

function isAddress(endpoint: string): boolean {
  return /^https?:/.test(endpoint);
}

/**
 * Returns how an endpoint's host contradicts the other fields. The result has none of their values,
 * because they may come from the environment.
 */
function endpointFault(
  endpoint: string,
  { bucket, region }: { readonly bucket: string; readonly region: string },
): string | undefined {
  const { hostname } = new URL(endpoint);
  if (hostname.endsWith('.')) return 'must have a host without a dot at its end';
  const host = parseOssHost(hostname);
  if (!host) return undefined;
  if (host.isS3) return 'is the address for S3 clients; write it without "s3."';
  if (host.bucket !== undefined && host.bucket !== bucket)
    return "names another bucket than this target's bucket";
  if (host.regions && !host.regions.includes(region))
    return "names another region than this target's region, so OSS would reject every signature";
  return undefined;
}

function targetEndpoint(endpoint: string, bucket: string, pathStyle: boolean | undefined): Endpoint {
  const word = ENDPOINT_WORDS.find((one) => one === endpoint);
  if (word) return word;
  const url = new URL(endpoint);
  // OSS accepts path style on IP addresses only; localhost counts as one. OSS's own hosts begin
  // with the bucket.
  const isPath = pathStyle ?? /^\[|^[\d.]+$|^localhost$/.test(url.hostname);
  const ossHost = parseOssHost(url.hostname);
  const isVirtual = ossHost
    ? ossHost.bucket === undefined
    : url.hostname.endsWith('.aliyuncs.com') && !url.hostname.startsWith(`${bucket}.`);
  return { url: url.origin, addressing: isPath ? 'path' : isVirtual ? 'virtual' : 'cname' };
}
