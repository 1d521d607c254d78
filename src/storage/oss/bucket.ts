import { HEADER_VALUE } from '../../text/header-value.ts';
import type {
  ObjectDownload,
  ObjectUpload,
  PreparedBucket,
  PreparedUploads,
  PresignedDownload,
  Signing,
} from '../object-storage.ts';
import { bucketAddress, type Endpoint } from './endpoint.ts';
import { fieldRecord, prepareFormFields } from './form-fields.ts';
import { prepareAttributes } from './object-attributes.ts';
import { contentLengthHeader, metadataHeaderNames, uploadHeaders } from './object-headers.ts';
import { signForm } from './sign-form.ts';
import {
  type CanonicalHeaders,
  canonicalHeaders,
  type Header,
  header,
  headerName,
} from './signing/canonical-headers.ts';
import { canonicalRequest } from './signing/canonical-request.ts';
import { checkKey, percentEncode, percentEncodePath } from './signing/percent-encode.ts';
import { checkExpiry } from './signing/presign.ts';
import { createSigners } from './signing/signers.ts';
import { ALGORITHM } from './signing/string-to-sign.ts';

const NO_HEADERS = canonicalHeaders([]);

export type OssBucket = {
  readonly bucket: string;
  /** The region id of the bucket, without `oss-`. */
  readonly region: string;
  readonly endpoint: Endpoint;
};

/**
 * Prepares a bucket of OSS: its address, and the values that the signatures of one day share. Signs
 * as `presign` does. Every header is signed, even those that OSS does not sign by default
 * (`Cache-Control`, `Content-Disposition`, …). Source: OSS V4 signature in the URL; PutObject;
 * PostObject.
 * @throws TypeError as `bucketAddress` does.
 */
export function prepareBucket({ bucket, region, endpoint }: OssBucket): PreparedBucket {
  const { origin, pathPrefix } = bucketAddress(endpoint, bucket, region);
  const urlStart = `${origin}${pathPrefix}/`;
  const canonicalUriStart = `/${percentEncode(bucket)}/`;
  const signerAt = createSigners(region);

  return { prepareUploads, presignDownload };

  function prepareUploads(
    given: Readonly<Record<string, string>>,
    metadata: readonly string[] = [],
  ): PreparedUploads {
    const metadataNames = metadataHeaderNames(metadata);
    const ofAllUploads = Object.entries(given).map(([name, value]) => header(headerName(name), value));
    const formFieldsOf = prepareFormFields(ofAllUploads);
    const attributes = prepareAttributes(ofAllUploads);
    return {
      headers: (upload) => toRecord(headersOf(upload)),
      attributes,
      presign(upload, signing) {
        const headers = headersOf(upload);
        const record = toRecord(headers);
        if (upload.contentLength !== undefined) headers.push(contentLengthHeader(upload.contentLength));
        const url = signUrl('PUT', upload.key, '', canonicalHeaders(headers), signing);
        return { method: 'PUT', url, headers: record };
      },
      formFields: (upload) => ({ key: upload.key, ...fieldRecord(formFieldsOf(headersOf(upload))) }),
      presignForm(upload, signing) {
        const signer = signerAt(signing.signedAt, signing.credentials);
        return signForm({ bucket, url: urlStart }, upload, formFieldsOf(headersOf(upload)), signer, signing);
      },
    };

    /**
     * Joins the headers of an upload and those of all uploads. The upload's own Content-Disposition
     * replaces the common one.
     */
    function headersOf(upload: Omit<ObjectUpload, 'contentLength'>): Header[] {
      const headers = uploadHeaders(upload, metadataNames);
      for (const one of ofAllUploads)
        if (upload.contentDisposition === undefined || one.name.lowerCase !== 'content-disposition')
          headers.push(one);
      return headers;
    }
  }

  /** Source: GetObject, "response-content-disposition". */
  function presignDownload({ key, contentDisposition }: ObjectDownload, signing: Signing): PresignedDownload {
    if (!HEADER_VALUE.test(contentDisposition)) {
      throw new TypeError('contentDisposition must be printable ASCII, trimmed and not empty');
    }
    const override = `response-content-disposition=${percentEncode(contentDisposition)}&`;
    return { method: 'GET', url: signUrl('GET', key, override, NO_HEADERS, signing) };
  }

  /**
   * @param override a parameter that precedes all others in canonical order, with its `&`; or
   *   nothing.
   */
  function signUrl(
    method: string,
    key: string,
    override: string,
    headers: CanonicalHeaders,
    { credentials, signedAt, expiresInSeconds }: Signing,
  ): string {
    checkKey(key);
    checkExpiry(expiresInSeconds);
    const signer = signerAt(signedAt, credentials);
    const names = headers.encodedAdditionalNames;
    const additional = names === '' ? '' : `x-oss-additional-headers=${names}&`;
    const time = `x-oss-date=${signer.instant}&x-oss-expires=${expiresInSeconds}`;
    // In canonical order.
    const query = `${override}${additional}${signer.day.credentialParameter}&${time}${signer.day.tokenParameter}&x-oss-signature-version=${ALGORITHM}`;
    const path = percentEncodePath(key);
    const request = canonicalRequest(method, `${canonicalUriStart}${path}`, query, headers);
    return `${urlStart}${path}?${query}&x-oss-signature=${signer.day.key.sign(signer.instant, request)}`;
  }
}

function toRecord(headers: readonly Header[]): Record<string, string> {
  const record: Record<string, string> = {};
  for (const { name, value } of headers) record[name.spelling] = value;
  return record;
}
