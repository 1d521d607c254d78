import { type AbortUploadDependencies, abortUpload } from './abort-upload.ts';
import { type CompleteUploadDependencies, completeUpload } from './complete-upload.ts';
import { type CreateDownloadsDependencies, createDownloads } from './create-downloads.ts';
import { type CreateUploadDependencies, createUpload } from './create-upload.ts';
import { type CreateUploadBatchDependencies, createUploadBatch } from './create-upload-batch.ts';
import { docsFile, docsPage } from './docs-page.ts';
import { getPolicy } from './get-policy.ts';
import { type JwksDependencies, jwks } from './jwks.ts';
import { livez } from './livez.ts';
import { type MetricsDependencies, metrics } from './metrics.ts';
import { type OpenApiDocumentDependencies, openApiDocument } from './openapi-document.ts';
import { type ReadyzDependencies, readyz } from './readyz.ts';
import { type ReceiveCallbackDependencies, receiveCallback } from './receive-callback.ts';
import type { Route } from './route.ts';
import { type SignPartsDependencies, signParts } from './sign-parts.ts';
import { type UploadStatusDependencies, uploadStatus } from './upload-status.ts';

export type RouteDependencies = CreateUploadDependencies &
  CreateUploadBatchDependencies &
  SignPartsDependencies &
  UploadStatusDependencies &
  CompleteUploadDependencies &
  AbortUploadDependencies &
  CreateDownloadsDependencies &
  ReceiveCallbackDependencies &
  JwksDependencies &
  ReadyzDependencies &
  MetricsDependencies &
  OpenApiDocumentDependencies;

/**
 * All operations of the service, in the order of the OpenAPI document. A new operation is a file,
 * and a line here.
 */
export const ROUTES: readonly Route<RouteDependencies>[] = [
  createUpload,
  createUploadBatch,
  signParts,
  uploadStatus,
  completeUpload,
  abortUpload,
  createDownloads,
  receiveCallback,
  getPolicy,
  jwks,
  livez,
  readyz,
  metrics,
  openApiDocument,
  docsPage,
  docsFile,
];

/** The operations of the port for operators. */
export const OPERATIONS_ROUTES: readonly Route<ReadyzDependencies & MetricsDependencies>[] = [
  metrics,
  livez,
  readyz,
];
