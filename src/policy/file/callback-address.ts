import { hostKind } from '../../net/web-address.ts';
import type { Policy } from '../policy.ts';

/** The settings of the service that its callbacks depend on. */
export type CallbackSettings = {
  readonly publicUrl: string;
  /** Whether only calls of another signer than OSS are accepted (`OSS_CALLBACK_KEY_FILE`). */
  readonly hasCallbackKey: boolean;
};

/** Returns why OSS can never call the service, one sentence for each rule with a callback. */
export function callbackFaults(
  { rules }: Pick<Policy, 'rules'>,
  { publicUrl }: Pick<CallbackSettings, 'publicUrl'>,
): readonly string[] {
  // In a URL, only an IPv6 address is in brackets.
  if (!new URL(publicUrl).hostname.startsWith('[')) return [];
  return rules
    .filter(({ callback }) => callback)
    .map(
      ({ name }) =>
        `The rule ${name} has callback: true, but PUBLIC_URL ${publicUrl} is an IPv6 address, which OSS never calls. Set PUBLIC_URL to a host name.`,
    );
}

/**
 * Returns a warning if OSS does not reach the service at its address, although a rule has a
 * callback. A host name that OSS resolves to a private address is not noticed.
 */
export function callbackWarnings(
  { rules }: Pick<Policy, 'rules'>,
  { publicUrl, hasCallbackKey }: CallbackSettings,
): readonly string[] {
  const rule = rules.find(({ callback }) => callback);
  if (!rule || hasCallbackKey || hostKind(new URL(publicUrl).hostname) === 'public') return [];
  return [
    `The rule ${rule.name} has callback: true, but OSS cannot call PUBLIC_URL ${publicUrl} from the internet: it rejects the uploads, or responds to them with 203. Set PUBLIC_URL to a public address.`,
  ];
}
