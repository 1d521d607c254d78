import type { BucketLifecycle } from '../../storage/object-storage.ts';
import { bucketLifecycles } from '../../storage/oss/lifecycle-rule.ts';
import { cloudAccess } from '../cloud-access.ts';
import type { Command } from '../command.ts';
import { OUTPUT_OPTION, writeDocument } from '../output-option.ts';
import { POLICY_OPTION, policyOf } from '../policy-option.ts';
import { xmlElement } from '../xml-element.ts';

const NOTHING = '# No rule of the policy has multipart uploads, so no bucket needs a lifecycle rule.\n';

/** `oss-presign lifecycle`: the lifecycle rules that abort unfinished multipart uploads. */
export const lifecycleCommand: Command = {
  name: 'lifecycle',
  summary: 'print the lifecycle rules that abort unfinished multipart uploads',
  description: `Prints, for each bucket of the policy with multipart uploads, the lifecycle rules that remove the parts of uploads that
no client completes. OSS bills such parts like objects. A rule applies to the part of the prefix before the first {claim}, a day
after the uploads can no longer be continued (uploadExpiresIn, in whole days, and 1 day). The output is a shell script that
sets the rules, as XML, with ossutil 2. Nothing changes until you run the script, which then replaces ALL lifecycle rules of
the bucket: add the rules that it has to the XML first. The script shows the command that prints them.
Needs no credentials and no network.`,
  options: { policy: POLICY_OPTION, output: OUTPUT_OPTION },
  example: 'oss-presign lifecycle --policy policy.yaml --output set-lifecycle.sh',
  exitCodes: { 0: 'printed or written' },
  run: async (options, context) => {
    const scripts = bucketLifecycles(cloudAccess(policyOf(options, context))).map(renderScript);
    writeDocument(scripts.length > 0 ? scripts.join('\n') : NOTHING, options, context);
    return 0;
  },
};

/**
 * The names of buckets and regions consist of a-z, 0-9 and "-", so they need no quotes in a shell.
 */
function renderScript(lifecycle: BucketLifecycle): string {
  const { bucket, region } = lifecycle;
  const file = `lifecycle-${bucket}.xml`;
  return `# ${bucket}: this replaces all lifecycle rules that the bucket has. Print them, and add them to the XML below:
#   ossutil api get-bucket-lifecycle --bucket ${bucket} --region ${region}
cat > ${file} <<'XML'
${renderXml(lifecycle)}XML
ossutil api put-bucket-lifecycle --bucket ${bucket} --region ${region} --lifecycle-configuration file://${file}
`;
}

function renderXml({ rules }: BucketLifecycle): string {
  const elements = rules.map(
    ({ prefix, days }, index) => `  <Rule>
${xmlElement('ID', `oss-presign-multipart-${index + 1}`)}${xmlElement('Prefix', prefix)}${xmlElement('Status', 'Enabled')}    <AbortMultipartUpload>
      <Days>${days}</Days>
    </AbortMultipartUpload>
  </Rule>
`,
  );
  return `<?xml version="1.0" encoding="UTF-8"?>
<LifecycleConfiguration>
${elements.join('')}</LifecycleConfiguration>
`;
}
