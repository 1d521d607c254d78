import { HEADER_VALUE } from '../../text/header-value.ts';
import { MAX_PART_BYTES, MAX_PARTS } from '../limits.ts';
import type {
  FormUpload,
  ObjectDownload,
  ObjectUpload,
  PartUpload,
  PreparedBucket,
  PreparedUploads,
  PresignedDownload,
  PresignedPart,
  Signing,
} from '../object-storage.ts';
import { callbackParameter } from './callback-parameter.ts';
import { bucketAddress, type Endpoint } from './endpoint.ts';
import { type FormField, fieldRecord, prepareFormFields } from './form-fields.ts';
import { type MultipartHeaders, prepareMultipartHeaders } from './multipart-headers.ts';
import { isMultipartUploadId } from './multipart-upload-id.ts';
import { prepareAttributes } from './object-attributes.ts';
import {
  contentLengthHeader,
  contentMd5Header,
  headerRecord,
  metadataHeaderNames,
  uploadHeaders,
} from './object-headers.ts';
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

/** Further parameters of a URL, encoded, at their places in canonical order. */
type ExtraParameters = {
  /** Precede all others, with a `&` after each. */
  readonly first: string;
  /** Between `x-oss-expires` and `x-oss-security-token`, with a `&` before each. */
  readonly middle: string;
  /** Follow all others, with a `&` before each. */
  readonly last: string;
};
const NO_PARAMETERS: ExtraParameters = { first: '', middle: '', last: '' };

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
    const multipart = prepareMultipartHeaders(ofAllUploads);
    return {
      headers: (upload) => headerRecord(headersOf(upload)),
      attributes,
      presign(upload, signing) {
        const headers = headersOf(upload);
        const record = headerRecord(headers);
        if (upload.contentLength !== undefined) headers.push(contentLengthHeader(upload.contentLength));
        const parameters =
          upload.callback === undefined
            ? NO_PARAMETERS
            : { ...NO_PARAMETERS, first: `callback=${percentEncode(callbackParameter(upload.callback))}&` };
        const url = signUrl('PUT', upload.key, parameters, canonicalHeaders(headers), signing);
        return { method: 'PUT', url, headers: record };
      },
      formFields: (upload) => ({ key: upload.key, ...fieldRecord(fieldsOf(upload)) }),
      presignForm(upload, signing) {
        const signer = signerAt(signing.signedAt, signing.credentials);
        return signForm({ bucket, url: urlStart }, upload, fieldsOf(upload), signer, signing);
      },
      initiateHeaders: (upload) => multipart.initiate(headersOf(upload)),
      completeHeaders: multipart.complete,
      presignPart: (part, signing) => presignPart(part, multipart.partParameters, signing),
    };

    function fieldsOf(upload: FormUpload): readonly FormField[] {
      const fields = formFieldsOf(headersOf(upload));
      if (upload.callback === undefined) return fields;
      return [...fields, { name: 'callback', value: callbackParameter(upload.callback) }];
    }

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
    const first = `response-content-disposition=${percentEncode(contentDisposition)}&`;
    return { method: 'GET', url: signUrl('GET', key, { ...NO_PARAMETERS, first }, NO_HEADERS, signing) };
  }

  /** Source: UploadPart. It has no Content-Type: OSS reads the object's when the upload begins. */
  function presignPart(
    { key, uploadId, partNumber, contentLength, contentMd5 }: PartUpload,
    { requestPayer, trafficLimit }: MultipartHeaders['partParameters'],
    signing: Signing,
  ): PresignedPart {
    if (!isMultipartUploadId(uploadId))
      throw new TypeError('uploadId must be printable ASCII without blanks');
    if (!Number.isInteger(partNumber) || partNumber < 1 || partNumber > MAX_PARTS) {
      throw new TypeError(`partNumber must be a whole number from 1 to ${MAX_PARTS}`);
    }
    if (!Number.isInteger(contentLength) || contentLength < 0 || contentLength > MAX_PART_BYTES) {
      throw new TypeError(`contentLength must be a whole number from 0 to ${MAX_PART_BYTES}`);
    }
    const md5 = contentMd5 === undefined ? [] : [contentMd5Header(contentMd5)];
    const headers = canonicalHeaders([contentLengthHeader(contentLength), ...md5]);
    const parameters = {
      first: `partNumber=${partNumber}&uploadId=${percentEncode(uploadId)}&`,
      middle: requestPayer === undefined ? '' : `&x-oss-request-payer=${percentEncode(requestPayer)}`,
      last: trafficLimit === undefined ? '' : `&x-oss-traffic-limit=${percentEncode(trafficLimit)}`,
    };
    const url = signUrl('PUT', key, parameters, headers, signing);
    return { method: 'PUT', url, headers: headerRecord(md5) };
  }

  function signUrl(
    method: string,
    key: string,
    { first, middle, last }: ExtraParameters,
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
    const query = `${first}${additional}${signer.day.credentialParameter}&${time}${middle}${signer.day.tokenParameter}&x-oss-signature-version=${ALGORITHM}${last}`;
    const path = percentEncodePath(key);
    const request = canonicalRequest(method, `${canonicalUriStart}${path}`, query, headers);
    return `${urlStart}${path}?${query}&x-oss-signature=${signer.day.key.sign(signer.instant, request)}`;
  }
}
