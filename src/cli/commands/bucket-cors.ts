import { environmentSchema } from '../../config/config.ts';
import type { BucketCors } from '../../storage/object-storage.ts';
import { bucketCors } from '../../storage/oss/cors-rule.ts';
import { cloudAccess } from '../cloud-access.ts';
import { CannotRun, type CliContext, type Command, type OptionValues } from '../command.ts';
import { OUTPUT_OPTION, writeDocument } from '../output-option.ts';
import { POLICY_OPTION, policyOf } from '../policy-option.ts';
import { xmlElement } from '../xml-element.ts';

/** `oss-presign bucket-cors`: the CORS rules that each bucket needs for pages. */
export const bucketCorsCommand: Command = {
  name: 'bucket-cors',
  summary: 'print the CORS rules that the buckets need, with the commands that set them',
  description: `Prints, for each bucket of the policy, the CORS rule that lets pages of the given origins use what the policy allows: PUT, also
for the parts of multipart uploads, and POST for forms, with exactly the headers that a response of the service can contain, and
GET if a rule has downloads. The output is a shell script that sets the rule, as XML, with ossutil 2. Nothing changes until you
run the script, which then replaces all CORS rules of the bucket.
Needs no credentials and no network.`,
  options: {
    origin: {
      value: 'ORIGIN',
      description: 'The origin of a page that uploads. Default: the origins of CORS_ORIGINS.',
      isRepeatable: true,
    },
    policy: POLICY_OPTION,
    output: OUTPUT_OPTION,
  },
  example:
    'oss-presign bucket-cors --origin https://app.example.com --policy policy.yaml --output set-cors.sh',
  exitCodes: { 0: 'printed or written' },
  run: async (options, context) => {
    const policy = policyOf(options, context);
    const scripts = bucketCors(cloudAccess(policy), originsOf(options, context)).map(renderScript);
    writeDocument(scripts.join('\n'), options, context);
    return 0;
  },
};

function originsOf({ origin }: OptionValues, { env }: CliContext): readonly string[] {
  const read = environmentSchema.shape.CORS_ORIGINS.safeParse(origin?.join(',') ?? env.CORS_ORIGINS ?? '');
  if (!read.success) {
    const name = origin ? '--origin' : 'CORS_ORIGINS';
    throw new CannotRun(...read.error.issues.map((issue) => `${name} ${issue.message}.`));
  }
  if (read.data.length === 0)
    throw new CannotRun(
      'no origin is given: set the origins of the pages that upload by --origin https://app.example.com or CORS_ORIGINS.',
    );
  return read.data;
}

/**
 * The names of buckets and regions consist of a-z, 0-9 and "-", so they need no quotes in a shell.
 */
function renderScript(cors: BucketCors): string {
  const file = `cors-${cors.bucket}.xml`;
  return `# ${cors.bucket}: this replaces all CORS rules that the bucket has.
cat > ${file} <<'XML'
${renderXml(cors)}XML
ossutil api put-bucket-cors --bucket ${cors.bucket} --region ${cors.region} --cors-configuration file://${file}
`;
}

function renderXml(cors: BucketCors): string {
  const elements = [
    ...cors.allowedOrigins.map((origin) => xmlElement('AllowedOrigin', origin)),
    ...cors.allowedMethods.map((method) => xmlElement('AllowedMethod', method)),
    ...cors.allowedHeaders.map((header) => xmlElement('AllowedHeader', header)),
    ...cors.exposeHeaders.map((header) => xmlElement('ExposeHeader', header)),
    xmlElement('MaxAgeSeconds', String(cors.maxAgeSeconds)),
  ];
  // ResponseVary keeps caches from serving one origin's response to another.
  return `<?xml version="1.0" encoding="UTF-8"?>
<CORSConfiguration>
  <CORSRule>
${elements.join('')}  </CORSRule>
  <ResponseVary>true</ResponseVary>
</CORSConfiguration>
`;
}
