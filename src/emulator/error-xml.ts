import type { OssError } from './oss-error.ts';
import { renderXml } from './xml.ts';

/**
 * Renders the XML body of an error as OSS sends it: root `Error`, then the code's own elements.
 * Every value is escaped.
 */
export function renderErrorXml(error: OssError, request: { requestId: string; hostId: string }): string {
  return renderXml([
    'Error',
    Object.entries({
      Code: error.code,
      Message: error.message,
      RequestId: request.requestId,
      HostId: request.hostId,
      ...error.fields,
      ...(error.ec && {
        EC: error.ec,
        RecommendDoc: `https://api.alibabacloud.com/troubleshoot?q=${error.ec}`,
      }),
    }),
  ]);
}
