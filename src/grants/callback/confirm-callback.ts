import { findCallbackRule } from '../../policy/decide-completion.ts';
import type { Policy } from '../../policy/policy.ts';
import type { CallbackCall, CallbackVerifier } from '../../storage/callback-verifier.ts';
import { cannotContinueUploads } from '../cannot-continue.ts';
import type { CompleteUploadDependencies, Completion } from '../completion/complete-upload.ts';
import { confirmUpload } from '../completion/confirm-upload.ts';
import type { PreparedStorage } from '../prepared-storage.ts';
import { openUploadId } from '../upload-id.ts';
import { countCall, isExpired, type UsableUpload } from '../use-upload.ts';
import { callbackKeyUnavailable } from './rejections.ts';

export type ConfirmCallbackDependencies = CompleteUploadDependencies & {
  readonly callbacks: CallbackVerifier;
};

/** The result of {@link confirmCallback}. */
export type CallbackOutcome =
  | Completion
  /** The storage did not sign the call: the address of its key or its signature is wrong. */
  | (UsableUpload & { readonly outcome: 'unauthenticated'; readonly reason: 'key_url' | 'signature' });

/** How long a call may take, in milliseconds. OSS waits for 5 s. */
const CALLBACK_WITHIN_MS = 4_000;

/**
 * Confirms the upload whose id the storage has sent, as `completeUpload` does for a caller. The
 * policy alone decides whether the id can be used, because the storage has no token. The call is
 * counted as one of the uploader, once it is known that the storage has made it.
 * @param received.at when the call arrived. Keys and storage are waited for until 4 s after it.
 * @throws ServiceError `unavailable` if this replica cannot open the ids of the others; and what
 *   `beforeCheck` throws.
 */
export async function confirmCallback(
  dependencies: ConfirmCallbackDependencies,
  { policy, storage }: { readonly policy: Pick<Policy, 'rules'>; readonly storage: PreparedStorage },
  received: { readonly id: string; readonly call: CallbackCall; readonly at: Date },
): Promise<CallbackOutcome> {
  const { serviceKeys, canContinueUploads, limiter, clock, beforeCheck, callbacks } = dependencies;
  const deadline = new Date(received.at.getTime() + CALLBACK_WITHIN_MS);
  if (!canContinueUploads) throw cannotContinueUploads('The service cannot use upload ids at the moment.');
  const granted = openUploadId(serviceKeys.current(), received.id);
  const rule = granted && findCallbackRule(policy, granted);
  if (!granted || !rule) return { outcome: 'invalid', granted };
  const upload = { granted, coverage: { rule, by: rule } };
  if (isExpired(granted, clock())) return { outcome: 'expired', ...upload };
  const verdict = await callbacks.verify(received.call, deadline);
  if (verdict.result === 'no_key')
    return { outcome: 'error', ...upload, verdict: undefined, error: callbackKeyUnavailable(verdict.cause) };
  if (verdict.result !== 'verified') return { outcome: 'unauthenticated', ...upload, reason: verdict.result };
  beforeCheck?.();
  const counted = await countCall(limiter, rule, granted.caller);
  if (counted && !counted.allowed) return { outcome: 'limited', ...upload, verdict: counted };
  const confirmation = await confirmUpload(dependencies, { granted, rule, storage, deadline });
  return { ...upload, verdict: counted, ...confirmation };
}
