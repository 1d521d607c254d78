import type { CredentialsProvider } from '@alicloud/credentials';
import type { Credentials } from '../../grants/ports/credentials-source.ts';
import { SourceFailure, toSourceFailure } from './source-failure.ts';

/**
 * Fetches credentials from a source of `@alicloud/credentials` with one call.
 *
 * Each call creates a provider. Its cache is empty, so all parts of the credentials come from one
 * new response and the library's own refreshing is not involved. The library does not return the
 * expiry: it is in the session of the provider, or of the provider that a profile names.
 * @throws SourceFailure, which contains nothing of the library's error that must stay hidden.
 */
export async function fetchCredentials(createProvider: () => CredentialsProvider): Promise<Credentials> {
  let provider: CredentialsProvider;
  let response: Awaited<ReturnType<CredentialsProvider['getCredentials']>>;
  try {
    provider = createProvider();
    response = await provider.getCredentials();
  } catch (error) {
    throw toSourceFailure(error);
  }
  const { accessKeyId, accessKeySecret, securityToken } = response;
  if (!accessKeyId || !accessKeySecret) {
    throw new SourceFailure('the response contains no credentials', true);
  }
  const expiresAt = expirationOf(provider);
  return {
    accessKeyId,
    accessKeySecret,
    ...(securityToken && { securityToken }),
    ...(expiresAt && { expiresAt }),
  };
}

type WithSession = {
  readonly session?: { readonly expiration?: string };
  readonly innerProvider?: WithSession;
};

function expirationOf(provider: unknown): Date | undefined {
  const { session, innerProvider } = provider as WithSession;
  const expiration = session?.expiration ?? innerProvider?.session?.expiration;
  if (!expiration) return undefined;
  const expiresAt = new Date(expiration);
  if (Number.isNaN(expiresAt.getTime())) {
    throw new SourceFailure('the response has no valid expiry', true);
  }
  return expiresAt;
}
