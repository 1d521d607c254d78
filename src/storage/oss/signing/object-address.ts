import { bucketAddress, type Endpoint } from '../endpoint.ts';
import { KeptValues } from './kept-values.ts';
import { percentEncode } from './percent-encode.ts';

/** What stands before the encoded keys of a bucket's objects. */
export type ObjectAddress = {
  /** In their URLs: `https://acme.oss-cn-hangzhou.aliyuncs.com/`. */
  readonly url: string;
  /** In what is signed, whatever the endpoint: `/acme/`. */
  readonly canonicalUri: string;
};

type KeptAddress = ObjectAddress & {
  readonly endpoint: string;
  readonly addressing: string;
  readonly region: string;
};

const kept = new KeptValues<KeptAddress>(1000);

/**
 * The address of a bucket's objects. The last of each bucket is kept, as parsing an endpoint's URL takes as long as all the
 * rest of a signature but its hashes; another endpoint or region gets another.
 * @throws TypeError as `bucketAddress` does.
 */
export function objectAddress(endpoint: Endpoint, bucket: string, region: string): ObjectAddress {
  const url = typeof endpoint === 'string' ? endpoint : endpoint.url;
  const addressing = typeof endpoint === 'string' ? '' : endpoint.addressing;
  const known = kept.get(bucket);
  if (known && known.endpoint === url && known.addressing === addressing && known.region === region)
    return known;
  const { origin, pathPrefix } = bucketAddress(endpoint, bucket, region);
  return kept.keep(bucket, {
    url: `${origin}${pathPrefix}/`,
    canonicalUri: `/${percentEncode(bucket)}/`,
    endpoint: url,
    addressing,
    region,
  });
}
