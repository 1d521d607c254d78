"""Performs signing and object jobs with the official Python SDK V2: one JSON object a line on stdin, one on stdout, in the
same order. The fields are the types of ../sdk-program.ts."""

import base64
import datetime
import json
import sys
from urllib.parse import parse_qs, quote, urlencode, urlsplit

import alibabacloud_oss_v2 as oss
from alibabacloud_oss_v2.signer import SignerV4
from alibabacloud_oss_v2.types import Credentials, HttpRequest, SigningContext
from alibabacloud_oss_v2.uploader import UploadError


def sign(job):
    query = urlencode({name: value or "" for name, value in job["query"].items()}, quote_via=quote, safe="")
    request = HttpRequest(job["method"], f"https://oss.example.com/?{query}", headers=job["headers"])
    signed_at = datetime.datetime.fromisoformat(job["signedAt"].replace("Z", "+00:00"))
    context = SigningContext(
        product=job["product"],
        region=job["region"],
        bucket=job["bucket"],
        key=job["key"],
        request=request,
        credentials=Credentials(*credentials(job)),
        signing_time=signed_at,
        additional_headers=set(job["additionalHeaders"]),
    )
    context.auth_method_query = job["form"] == "query"
    context.expiration_time = signed_at + datetime.timedelta(seconds=job["expiresInSeconds"])
    SignerV4().sign(context)
    if context.auth_method_query:
        return {"signature": parse_qs(urlsplit(request.url).query)["x-oss-signature"][0]}
    return {"signature": request.headers["Authorization"].partition("Signature=")[2]}


def perform(job):
    config = oss.config.load_default()
    config.credentials_provider = oss.credentials.StaticCredentialsProvider(*credentials(job))
    config.region = job["region"]
    config.endpoint = job["endpoint"]
    config.use_path_style = True
    config.retry_max_attempts = job["attempts"]
    client = oss.Client(config)
    if job["job"] == "list":
        return list_objects(client, job)
    if job["job"] == "exists":
        return {"exists": client.is_object_exist(job["bucket"], job["key"])}
    place = {"bucket": job["bucket"], "key": job["key"]}
    if job["job"] == "upload-file":
        result = client.uploader().upload_file(oss.PutObjectRequest(**place), job["file"])
        return {"etag": result.etag, "crc64": result.hash_crc64}
    if job["job"] == "download-file":
        client.downloader().download_file(oss.GetObjectRequest(**place), job["file"])
        return {"etag": None, "crc64": None}
    if job["job"] == "put":
        callback = job.get("callback", {})
        given = {"header": {"callback": callback.get("value")}, "query": {"parameters": {"callback": callback.get("value")}}}
        result = client.put_object(oss.PutObjectRequest(
            **place,
            **given.get(callback.get("place"), {}),
            content_type=job["contentType"],
            metadata=job["metadata"],
            body=base64.b64decode(job["body"]),
        ))
    elif job["job"] == "get":
        result = client.get_object(oss.GetObjectRequest(**place))
    elif job["job"] == "head":
        result = client.head_object(oss.HeadObjectRequest(**place))
    else:
        result = client.delete_object(oss.DeleteObjectRequest(**place))
    metadata = getattr(result, "metadata", None)
    return {
        "status": result.status_code,
        "etag": getattr(result, "etag", None),
        "contentType": getattr(result, "content_type", None),
        "metadata": dict(metadata) if metadata else None,
        "body": base64.b64encode(result.body.read()).decode() if job["job"] == "get" else None,
    }


def list_objects(client, job):
    place = {name: job[name] for name in ("bucket", "prefix", "delimiter")}
    if job["version"] == 1:
        pages = client.list_objects_paginator().iter_page(
            oss.ListObjectsRequest(**place, max_keys=job["pageSize"]))
    else:
        pages = client.list_objects_v2_paginator().iter_page(
            oss.ListObjectsV2Request(**place, max_keys=job["pageSize"]))
    objects, prefixes = [], []
    for page in pages:
        prefixes += [each.prefix for each in page.common_prefixes or []]
        objects += [
            {
                "key": each.key,
                "size": each.size,
                "etag": each.etag,
                "type": each.object_type,
                "storageClass": each.storage_class,
            }
            for each in page.contents or []
        ]
    return {"objects": objects, "prefixes": prefixes}


def credentials(job):
    given = job["credentials"]
    return given["accessKeyId"], given["accessKeySecret"], given.get("securityToken")


def run_job(job):
    try:
        return sign(job) if job["job"] == "sign" else perform(job)
    except (oss.exceptions.OperationError, UploadError) as failed:
        error = failed.unwrap()
        if isinstance(failed, UploadError):
            error = error.unwrap()
        if not isinstance(error, oss.exceptions.ServiceError):
            return {"fault": str(error)}
        return {"error": {"status": error.status_code, "code": error.code, "ec": error.ec}}
    except Exception as error:  # pylint: disable=broad-except  # The next job can still be done.
        return {"fault": str(error)}


for line in sys.stdin:
    print(json.dumps(run_job(json.loads(line))), flush=True)
