import type { z } from 'zod';
import { type Fault, ServiceError, summarizeFaults } from '../../errors.ts';
import { faultsOf, invalidRequest, requireObject } from '../../grants/request-faults.ts';

/** How a client whose format is not ours describes a file. */
export type ForeignFormat<Schema extends z.ZodType> = {
  readonly schema: Schema;
  /** The pointer to the object that describes the file, such as `/blob`; empty for the body. */
  readonly at: string;
  /** The remedy for each field that may be missing. */
  readonly remedies: Readonly<Record<string, string>>;
};

/**
 * Checks the object that describes a file. Unknown fields are ignored, because these clients cannot
 * be changed and later versions may send more.
 * @throws ServiceError `invalid_request` with the faults, each by the field that the client sent.
 */
export function parseForeignRequest<Schema extends z.ZodType>(
  { schema, at, remedies }: ForeignFormat<Schema>,
  described: unknown,
): z.output<Schema> {
  const sent = requireObject(described);
  const parsed = schema.safeParse(sent);
  if (parsed.success) return parsed.data;
  const found = faultsOf(parsed.error.issues, sent, { fields: [] });
  throw invalidRequest(
    found.map((describe) => () => {
      const fault = describe();
      const remedy = fault.code === 'required' ? remedies[fault.pointer.slice(1)] : undefined;
      const detail = remedy === undefined ? fault.detail : `${fault.detail.slice(0, -1)}: ${remedy}`;
      return { ...fault, pointer: at + fault.pointer, detail };
    }),
  );
}

/**
 * Runs a use case whose request was translated, and translates the pointers of its rejection back
 * to the fields that the client sent. A pointer to a field that the client cannot send becomes "".
 */
export async function withForeignPointers<Result>(
  pointers: Readonly<Record<string, string>>,
  run: () => Promise<Result>,
): Promise<Result> {
  try {
    return await run();
  } catch (error) {
    if (!(error instanceof ServiceError) || error.errors === undefined) throw error;
    const errors = error.errors.map(
      (fault): Fault => ({
        ...fault,
        pointer: Object.hasOwn(pointers, fault.pointer) ? (pointers[fault.pointer] ?? '') : '',
      }),
    );
    const { code, headers, cause } = error;
    throw new ServiceError(code, summarizeFaults(errors), { errors, headers, cause });
  }
}
