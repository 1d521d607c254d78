/** OSS's own forms of an address. */
export const ENDPOINT_WORDS = [
  'public',
  'internal',
  'accelerate',
  'accelerate-overseas',
  'dualstack',
] as const;

/**
 * The address under which clients reach a bucket: one of OSS's own forms, or an origin
 * (`https://upload.example.com`). With an origin, the bucket's name is before the host, nowhere (a
 * custom domain, CNAME), or first in the path.
 */
export type Endpoint =
  | (typeof ENDPOINT_WORDS)[number]
  | { readonly url: string; readonly addressing: 'virtual' | 'cname' | 'path' };

/**
 * The address of a bucket's objects. The URL of an object is origin + pathPrefix + `/` + encoded
 * key.
 */
export type BucketAddress = { readonly origin: string; readonly pathPrefix: string };

/**
 * Returns the address of a bucket's objects. Source: OSS, endpoints and data centers; access by
 * custom domain.
 * @throws TypeError for path style on a public OSS host, which OSS rejects.
 */
export function bucketAddress(endpoint: Endpoint, bucket: string, region: string): BucketAddress {
  if (typeof endpoint === 'string') {
    return { origin: `https://${bucket}.${serviceHost(endpoint, region)}`, pathPrefix: '' };
  }
  const { protocol, host, hostname } = new URL(endpoint.url);
  switch (endpoint.addressing) {
    case 'virtual':
      return { origin: `${protocol}//${bucket}.${host}`, pathPrefix: '' };
    case 'cname':
      return { origin: `${protocol}//${host}`, pathPrefix: '' };
    case 'path':
      if (hostname.endsWith('.aliyuncs.com')) throw new TypeError('public OSS rejects path style');
      return { origin: `${protocol}//${host}`, pathPrefix: `/${bucket}` };
  }
}

function serviceHost(form: Extract<Endpoint, string>, region: string): string {
  switch (form) {
    case 'public':
      return `oss-${region}.aliyuncs.com`;
    case 'internal':
      return `oss-${region}-internal.aliyuncs.com`;
    case 'accelerate':
      return 'oss-accelerate.aliyuncs.com';
    case 'accelerate-overseas':
      return 'oss-accelerate-overseas.aliyuncs.com';
    case 'dualstack':
      return `${region}.oss.aliyuncs.com`;
  }
}
