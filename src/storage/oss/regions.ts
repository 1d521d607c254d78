/**
 * The region ids of OSS, for warnings about likely mistakes. A region that is missing here works.
 * Source: OSS, regions and endpoints (public cloud, finance cloud, government cloud).
 */
export const KNOWN_REGIONS: readonly string[] = [
  ...['cn-hangzhou', 'cn-shanghai', 'cn-nanjing', 'cn-fuzhou', 'cn-wuhan-lr', 'cn-qingdao', 'cn-beijing'],
  ...['cn-zhangjiakou', 'cn-huhehaote', 'cn-wulanchabu', 'cn-shenzhen', 'cn-heyuan', 'cn-guangzhou'],
  ...['cn-chengdu', 'cn-hongkong', 'cn-zhengzhou-jva', 'cn-zhongwei', 'rg-china-mainland'],
  ...['ap-northeast-1', 'ap-northeast-2', 'ap-southeast-1', 'ap-southeast-2', 'ap-southeast-3'],
  ...['ap-southeast-5', 'ap-southeast-6', 'ap-southeast-7', 'ap-south-1'],
  ...['us-east-1', 'us-west-1', 'us-southeast-1', 'na-south-1', 'eu-central-1', 'eu-west-1', 'eu-west-2'],
  ...['me-east-1', 'me-central-1'],
  ...['cn-hangzhou-finance', 'cn-shanghai-finance-1', 'cn-shenzhen-finance-1', 'cn-beijing-finance-1'],
  ...['cn-north-2-gov-1', 'cn-hzfinance', 'cn-hzjbp', 'cn-szfinance'],
];

/** Names in finance cloud hosts that differ from the region id. */
const REGION_OF_HOST_NAME: Readonly<Record<string, string>> = {
  'cn-hzfinance': 'cn-hangzhou-finance',
  'cn-hzjbp': 'cn-hangzhou-finance',
  'cn-hzjbp-a': 'cn-hangzhou-finance',
  'cn-hzjbp-b': 'cn-hangzhou-finance',
  'cn-szfinance': 'cn-shenzhen-finance-1',
};

/** The parts of an OSS host name. */
export type OssHost = {
  readonly bucket?: string;
  /** All names of one region; empty for addresses of transfer acceleration. */
  readonly regions?: readonly string[];
  /**
   * Whether it is an address for clients of the S3 protocol, which does not accept OSS signatures.
   */
  readonly isS3: boolean;
};

/**
 * Reads a host such as `oss-cn-hangzhou.aliyuncs.com`,
 * `acme.oss-cn-hangzhou-internal.aliyuncs.com`, `cn-hangzhou.oss.aliyuncs.com` (dual stack) or
 * `acme.oss-accelerate.aliyuncs.com`.
 * @param hostname in lower case.
 * @returns undefined for other hosts and for unknown forms.
 */
export function parseOssHost(hostname: string): OssHost | undefined {
  const suffix = '.aliyuncs.com';
  if (!hostname.endsWith(suffix)) return undefined;
  const labels = hostname.slice(0, -suffix.length).split('.');
  const service = labels.pop() ?? '';
  let regionName: string | undefined;
  if (service === 'oss') {
    regionName = labels.pop();
    if (regionName === undefined) return undefined;
  } else {
    const name = /^(?:vpc\d+-)?oss-(.+)$/.exec(service)?.[1];
    if (name === undefined) return undefined;
    if (!/^accelerate(?:-overseas)?$/.test(name)) regionName = name;
  }
  const regions = regionName === undefined ? undefined : regionsNamed(regionName);
  if (regionName !== undefined && !regions) return undefined;
  const isS3 = labels.at(-1) === 's3';
  if (isS3) labels.pop();
  return { ...(labels.length > 0 && { bucket: labels.join('.') }), ...(regions && { regions }), isS3 };
}

function regionsNamed(name: string): readonly string[] | undefined {
  const region = name.replace(/-internal$/, '').replace(/-pub$/, '');
  if (!/^(?:cn|ap|us|na|sa|eu|me|af|rg)-[a-z0-9-]+$/.test(region)) return undefined;
  const usual = Object.hasOwn(REGION_OF_HOST_NAME, region) ? REGION_OF_HOST_NAME[region] : undefined;
  return usual === undefined ? [region] : [region, usual];
}
