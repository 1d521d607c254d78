const uploader = { scope: 'uploads:write' };
const example = { iss: 'https://login.example.com/' };

/** Every rule of every policy that the repository ships, with a caller and a file that it is for. */
export const SHIPPED_RULES = [
  {
    policy: 'src/demo/policy.yaml',
    rule: 'own-files',
    claims: uploader,
    file: 'photo.PNG',
    type: 'image/png',
    prefix: 'users/alice/',
  },
  {
    policy: 'policy.example.yaml',
    rule: 'own-files',
    claims: { ...example, ...uploader, role: 'member' },
    file: 'photo.PNG',
    type: 'image/png',
    prefix: 'users/alice/',
  },
  {
    policy: 'policy.example.yaml',
    rule: 'nightly-exports',
    claims: { ...example, scope: 'exports:write', tenant: 'acme' },
    file: 'report.csv',
    type: 'text/csv',
    prefix: 'exports/acme/',
  },
  {
    policy: 'deploy/kubernetes/base/policy.yaml',
    rule: 'own-files',
    claims: { ...example, ...uploader },
    file: 'photo.PNG',
    type: 'image/png',
    prefix: 'users/alice/',
  },
] as const;
