/** The parts of a call that its signature depends on, as they arrived. */
export type CallbackCall = {
  /** The header `Authorization`: the signature. */
  readonly authorization: string | undefined;
  /** The header `x-oss-pub-key-url`: where the key of the signature is. */
  readonly keyUrl: string | undefined;
  /** Without the question mark, not decoded; empty if there is none. */
  readonly query: string;
  readonly body: Uint8Array;
};

export type CallbackVerdict =
  | { readonly result: 'verified' }
  /** The address of the key is foreign, and was not called; or the signature is wrong. */
  | { readonly result: 'key_url' | 'signature' }
  /** Safe to show to operators: it names the host, and nothing else of the address. */
  | { readonly result: 'no_key'; readonly cause: Error };

/** Verifies that the storage made a call. */
export type CallbackVerifier = {
  /**
   * Never rejects.
   * @param deadline the key is not waited for any longer.
   */
  verify(call: CallbackCall, deadline: Date): Promise<CallbackVerdict>;
};
