import type { Fields } from './policies.ts';

/** A rule by which callers with the scope `uploads:write` download below the prefix of `own-files`. */
export function downloadRule(fields: Fields = {}): Fields {
  return {
    name: 'own-downloads',
    actions: ['download'],
    who: { scope: 'uploads:write' },
    target: 'media',
    prefix: 'users/{sub}/',
    expiresIn: { default: '10m', max: '1h' },
    ...fields,
  };
}
