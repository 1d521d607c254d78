import { issuersOf } from '../../auth/issuer.ts';
import { withoutTrailingSlash } from '../../net/web-address.ts';
import type { Policy } from '../policy.ts';

/** The settings of the service that its receipts depend on. */
export type ReceiptSettings = {
  /** The `iss` of receipts, and their `aud` where a rule has none. */
  readonly publicUrl: string;
  /** Whether every replica has the same service keys. */
  readonly hasServiceKeysFile: boolean;
};

/**
 * Returns how a policy contradicts the settings of the service, one sentence each.
 *
 * A receipt is a signed JWT about the caller. It must never look like a token of an issuer that the
 * policy trusts, so neither its issuer nor its audience may be the same. A slash at the end makes
 * no difference, because people write addresses with and without it.
 */
export function receiptFaults(
  { issuers, rules }: Pick<Policy, 'issuers' | 'rules'>,
  { publicUrl, hasServiceKeysFile }: ReceiptSettings,
): readonly string[] {
  const faults: string[] = [];
  const names = issuers.flatMap((entry) => issuersOf(entry).map(({ iss }) => iss));
  if (names.some((name) => isSame(name, publicUrl)))
    faults.push(
      `PUBLIC_URL ${publicUrl} is also an issuer of the policy, so a receipt could pass as its token. Set PUBLIC_URL to the address of this service.`,
    );
  const audiences = issuers.flatMap(({ audience }) => audience);
  const withReceipts = rules.filter(({ actions, receipts }) => actions.includes('upload') && receipts);
  const byDefault = withReceipts.filter(({ receiptAudience }) => receiptAudience === undefined);
  if (byDefault.length > 0 && audiences.some((audience) => isSame(audience, publicUrl)))
    faults.push(
      `PUBLIC_URL ${publicUrl} is also an audience of an issuer, so a receipt of the rule ${byDefault[0]?.name} could pass as a token. Set receiptAudience in the rule, or another PUBLIC_URL.`,
    );
  for (const { name, receiptAudience } of withReceipts) {
    if (receiptAudience === undefined) continue;
    if (audiences.some((audience) => isSame(audience, receiptAudience)))
      faults.push(
        `The receiptAudience of the rule ${name} is also an audience of an issuer, so a receipt could pass as a token. Choose another one.`,
      );
  }
  return hasServiceKeysFile ? faults : [...faults, ...serviceKeysNeeds({ rules })];
}

/** Returns what in a policy needs `SERVICE_KEYS_FILE`, one sentence each. */
export function serviceKeysNeeds({ rules }: Pick<Policy, 'rules'>): readonly string[] {
  return rules.flatMap(({ name, actions, transfers, callback, notify }) => {
    const needing = [
      ...(actions.includes('confirm') ? ['confirm in actions'] : []),
      ...(actions.includes('upload') && transfers.includes('multipart') ? ['multipart in transfers'] : []),
      ...(callback ? ['callback: true'] : []),
      ...(notify ? ['notify'] : []),
    ];
    return needing.map(
      (field) =>
        `The rule ${name} has ${field}, which needs SERVICE_KEYS_FILE: without it, upload ids are valid for one process only. Create the file with oss-presign keygen.`,
    );
  });
}

function isSame(one: string, other: string): boolean {
  return withoutTrailingSlash(one) === withoutTrailingSlash(other);
}
