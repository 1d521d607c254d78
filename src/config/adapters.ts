const ADAPTERS = ['activestorage', 'lfs', 'vapor'] as const;

export type Adapter = (typeof ADAPTERS)[number];

/** Whether there is an adapter of this name. */
export function isAdapter(name: string): name is Adapter {
  return ADAPTERS.some((adapter) => adapter === name);
}

/** The fault of an entry of ADAPTERS, or undefined if it names an adapter. */
export function adapterFault(name: string): string | undefined {
  return isAdapter(name) ? undefined : `must be one of ${ADAPTERS.join(', ')}`;
}
