import type { ServiceError } from '../../errors.ts';
import type { CallerContext } from '../../grants/grant.ts';
import { type LimitVerdict, shareLeft } from '../../grants/ports/limiter.ts';
import type { Observer } from '../../grants/ports/observer.ts';
import type { BatchItem } from '../../grants/upload/issue-batch.ts';
import type { InvalidItemAudit, UploadAudit } from '../../log/audit-json.ts';
import { type Problem, toProblem } from '../plugins/problem-json.ts';
import { decisionOf, rejectionOf } from './outcome.ts';
import { uploadAudit } from './upload-audit.ts';

/** Why an item is rejected; undefined for a grant. The pointers begin at the item. */
export function rejectionOfItem(item: BatchItem): ServiceError | undefined {
  if ('invalid' in item) return item.invalid;
  return item.result.outcome === 'granted' ? undefined : rejectionOf(item.result);
}

/** The audit of one item of a batch: that of `POST /v1/uploads`, and the place of the item. */
export function itemAudit(
  context: CallerContext,
  item: BatchItem,
  index: number,
): UploadAudit | InvalidItemAudit {
  if ('request' in item) return { ...uploadAudit(context, item.request, item.result), item: index };
  const { issuer, subject } = context.caller;
  const reasons = [...new Set(item.invalid.errors?.map(({ code }) => code))];
  return { operation: 'upload', outcome: 'invalid', reasons, issuer, subject, item: index };
}

/**
 * Counts an item as the same request to `POST /v1/uploads` is counted.
 * @param rejection what the client receives; undefined for a grant.
 */
export function countItem(observer: Observer, item: BatchItem, rejection: ServiceError | undefined): void {
  if ('result' in item) observer.decided(decisionOf(item.result));
  if (rejection && rejection.code !== 'policy_denied') observer.rejected(rejection.code);
}

/** The problem document of a rejected item. Its pointers begin at the body. */
export function itemProblem(
  { code, detail, errors, headers }: ServiceError,
  index: number,
  requestId: string,
): Problem {
  const ofBody = errors?.map((fault) => ({ ...fault, pointer: `/items/${index}${fault.pointer}` }));
  return toProblem({ code, detail, errors: ofBody, headers }, requestId);
}

/**
 * Of the verdicts on the items, the one with the smallest share left, which is the state of the
 * whole batch. Of several, the last one. Undefined if no limit was counted.
 */
export function tightestVerdict(items: readonly BatchItem[]): LimitVerdict | undefined {
  let tightest: LimitVerdict | undefined;
  for (const item of items) {
    const verdict = 'result' in item ? verdictOf(item.result) : undefined;
    if (verdict && (!tightest || shareLeft(verdict) <= shareLeft(tightest))) tightest = verdict;
  }
  return tightest;
}

function verdictOf(
  result: Extract<BatchItem, { readonly result: unknown }>['result'],
): LimitVerdict | undefined {
  return result.outcome === 'granted' || result.outcome === 'limited' ? result.verdict : undefined;
}
