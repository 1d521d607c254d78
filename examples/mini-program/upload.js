// Uploads a file of a mini program through oss-presign: asks the service for a form, then sends it
// with uploadFile. `platform` is the global object of the platform: wx (WeChat), my (Alipay) or dd
// (DingTalk). Register the addresses of the service and of the bucket in the platform's console.

const TYPES = {
  png: 'image/png',
  jpg: 'image/jpeg',
  jpeg: 'image/jpeg',
  gif: 'image/gif',
  webp: 'image/webp',
  mp4: 'video/mp4',
  mp3: 'audio/mpeg',
  pdf: 'application/pdf',
};

const UPLOAD_TIMEOUT_MS = 600000;

/**
 * Uploads a file. Returns the key that the service created for it, and the id of the upload: give
 * the id to your backend, or send it to POST /v1/uploads/complete. A rule with `receipts: false`
 * has none.
 * @param options.service the address of the service
 * @param options.token a token of your identity provider
 * @param options.filePath as chooseMedia, chooseImage or chooseMessageFile returned it
 * @param options.size bytes, if the platform reports them; otherwise the file may have up to `maxSize`
 * @param options.name the name of the file, if it is known
 */
export async function uploadFile(platform, { service, token, filePath, size, maxSize, name = filePath }) {
  const extension = name.slice(name.lastIndexOf('.') + 1).toLowerCase();
  const contentType = TYPES[extension] || 'application/octet-stream';
  const grant = await requestForm(platform, service, token, {
    transfer: 'form',
    filename: name.slice(name.lastIndexOf('/') + 1).normalize('NFC'),
    contentType,
    ...(size === undefined ? { maxContentLength: maxSize } : { contentLength: size }),
  });
  await sendForm(platform, grant, filePath, contentType.split('/')[0]);
  return { key: grant.key, id: grant.id };
}

async function requestForm(platform, service, token, body) {
  const headers = { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' };
  const request = platform.request || platform.httpRequest; // DingTalk has httpRequest
  const response = await new Promise((resolve, reject) => {
    request.call(platform, {
      url: `${service}/v1/uploads`,
      method: 'POST',
      header: headers, // WeChat
      headers, // Alipay, DingTalk
      data: JSON.stringify(body),
      success: resolve,
      fail: (error) => reject(new Error(`The service cannot be reached: ${reasonOf(error)}`)),
    });
  });
  const grant = typeof response.data === 'string' ? JSON.parse(response.data) : response.data;
  if (Number(response.statusCode || response.status) !== 201) throw new Error(grant.detail);
  return grant;
}

async function sendForm(platform, { url, fields, fileField }, filePath, fileType) {
  const { statusCode, data } = await new Promise((resolve, reject) => {
    platform.uploadFile({
      url,
      filePath,
      name: fileField, // WeChat, Alipay
      fileName: fileField, // DingTalk: the name of the field
      fileType, // Alipay, DingTalk: image, video or audio
      formData: fields,
      timeout: UPLOAD_TIMEOUT_MS,
      success: resolve,
      fail: (error) => reject(new Error(`The bucket cannot be reached: ${reasonOf(error)}`)),
    });
  });
  // Some platforms report the status as text. 203: stored, but OSS could not notify the application.
  if (Number(statusCode) !== 200 && Number(statusCode) !== 203) {
    const [, code] = /<Code>(.*)<\/Code>/.exec(data) || [];
    throw new Error(`OSS rejected the upload: ${statusCode} ${code}`);
  }
}

/** WeChat has `errMsg`, Alipay and DingTalk have `errorMessage`. */
function reasonOf({ errMsg, errorMessage }) {
  return errMsg || errorMessage;
}
