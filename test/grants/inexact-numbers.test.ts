import { expect, it } from 'vitest';
import type { ServiceError } from '../../src/errors.ts';
import { parseDownloadRequestBody } from '../../src/grants/download/request.ts';
import { parsePartsRequestBody } from '../../src/grants/multipart/parts-request.ts';
import { parseUploadRequestBody } from '../../src/grants/upload/request.ts';
import { PHOTO } from '../support/requests.ts';

type Field = readonly [
  name: string,
  parse: (number: number) => unknown,
  pointer: string,
  ofLarge: string,
  ofNegative: string,
];

const { contentLength: _length, ...ANY_LENGTH } = PHOTO;

const BEYOND = 'must be at most 9007199254740991.';

const FIELDS: readonly Field[] = [
  [
    'partNumbers',
    (number) => parsePartsRequestBody({ id: 'a', partNumbers: [number] }),
    '/partNumbers/0',
    'partNumbers[0] must be at most 10000.',
    'partNumbers[0] must be at least 1.',
  ],
  [
    'contentLength',
    (contentLength) => parseUploadRequestBody({ ...PHOTO, contentLength }),
    '/contentLength',
    `contentLength ${BEYOND}`,
    'contentLength must not be negative.',
  ],
  [
    'maxContentLength',
    (maxContentLength) => parseUploadRequestBody({ ...ANY_LENGTH, transfer: 'form', maxContentLength }),
    '/maxContentLength',
    `maxContentLength ${BEYOND}`,
    'maxContentLength must not be negative.',
  ],
  [
    'partSize',
    (partSize) => parseUploadRequestBody({ ...PHOTO, transfer: 'multipart', partSize }),
    '/partSize',
    `partSize ${BEYOND}`,
    'partSize must be at least 1.',
  ],
  [
    'expiresIn of an upload',
    (expiresIn) => parseUploadRequestBody({ ...PHOTO, expiresIn }),
    '/expiresIn',
    `expiresIn ${BEYOND}`,
    'expiresIn must be at least 1.',
  ],
  [
    'expiresIn of a download',
    (expiresIn) => parseDownloadRequestBody({ keys: ['a'], expiresIn }),
    '/expiresIn',
    `expiresIn ${BEYOND}`,
    'expiresIn must be at least 1.',
  ],
];

function errorsOf(parse: () => unknown): ServiceError['errors'] {
  try {
    parse();
    return undefined;
  } catch (error) {
    return (error as ServiceError).errors;
  }
}

it.each(FIELDS)(
  '%s has one fault for a number that is too large to be exact',
  (_, parse, pointer, ofLarge, ofNegative) => {
    for (const [number, detail] of [
      [2 ** 53, ofLarge],
      [1e308, ofLarge],
      [-(2 ** 53), ofNegative],
      [-1e308, ofNegative],
    ] as const)
      expect(errorsOf(() => parse(number))).toStrictEqual([{ pointer, code: 'invalid_value', detail }]);
  },
);
