import type { CredentialsProvider } from '@alicloud/credentials';
import type { Credentials } from '../../grants/ports/credentials-source.ts';
import { SourceFailure, toSourceFailure } from './source-failure.ts';

/**
 * Asks a source of `@alicloud/credentials` once.
 *
 * A provider that is made anew has no cache, so its answer is one, and a new one, and the library's own refreshing has no
 * part in it. The library keeps the end of the credentials to itself: it stands in the provider's session, or in that of the
 * provider that a profile names.
 * @throws SourceFailure, in which nothing of the library's error is that may not be shown.
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
    throw new SourceFailure('the answer holds no credentials', true);
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
    throw new SourceFailure('the answer has no valid end', true);
  }
  return expiresAt;
}
