// Command program performs signing and object jobs with the official Go SDK V2: one JSON object a line on stdin, one on
// stdout, in the same order. The fields are the types of ../sdk-program.ts.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log"
	"net/http"
	"net/url"
	"os"
	"reflect"
	"regexp"
	"time"
	"unsafe"

	"github.com/aliyun/alibabacloud-oss-go-sdk-v2/oss"
	"github.com/aliyun/alibabacloud-oss-go-sdk-v2/oss/credentials"
	"github.com/aliyun/alibabacloud-oss-go-sdk-v2/oss/signer"
)

type job struct {
	Job         string
	Region      string
	Bucket      string
	Key         *string
	Credentials struct{ AccessKeyID, AccessKeySecret, SecurityToken string }

	Form, Method, Product string
	Headers, Query        map[string]string
	AdditionalHeaders     []string
	SignedAt              time.Time
	ExpiresInSeconds      int

	Endpoint    string
	Attempts    int
	Body        []byte
	ContentType *string
	Metadata    map[string]string
	Callback    struct{ Place, Value string }

	Version, PageSize int32
	Prefix, Delimiter string

	File string
}

type signed struct {
	Signature string `json:"signature"`
}

type done struct {
	Status      int               `json:"status"`
	ETag        *string           `json:"etag"`
	ContentType *string           `json:"contentType"`
	Metadata    map[string]string `json:"metadata"`
	Body        []byte            `json:"body"`
}

type existence struct {
	Exists bool `json:"exists"`
}

type transferred struct {
	ETag  *string `json:"etag"`
	CRC64 *string `json:"crc64"`
}

type object struct {
	Key          *string `json:"key"`
	Size         int64   `json:"size"`
	ETag         *string `json:"etag"`
	Type         *string `json:"type"`
	StorageClass *string `json:"storageClass"`
}

type listed struct {
	Objects  []object  `json:"objects"`
	Prefixes []*string `json:"prefixes"`
}

func (l *listed) add(contents []oss.ObjectProperties, prefixes []oss.CommonPrefix) {
	for _, o := range contents {
		l.Objects = append(l.Objects, object{o.Key, o.Size, o.ETag, o.Type, o.StorageClass})
	}
	for _, p := range prefixes {
		l.Prefixes = append(l.Prefixes, p.Prefix)
	}
}

type rejection struct {
	Status int    `json:"status"`
	Code   string `json:"code"`
	EC     string `json:"ec"`
}

func main() {
	jobs, results := json.NewDecoder(os.Stdin), json.NewEncoder(os.Stdout)
	for {
		var j job
		if err := jobs.Decode(&j); errors.Is(err, io.EOF) {
			return
		} else if err != nil {
			log.Fatal(err)
		}
		if err := results.Encode(runJob(j)); err != nil {
			log.Fatal(err)
		}
	}
}

func runJob(j job) any {
	var result any
	var err error
	if j.Job == "sign" {
		result, err = sign(j)
	} else {
		result, err = perform(j)
	}
	var rejected *oss.ServiceError
	if errors.As(err, &rejected) {
		return map[string]rejection{"error": {rejected.StatusCode, rejected.Code, rejected.EC}}
	}
	if err != nil {
		return map[string]string{"fault": err.Error()}
	}
	return result
}

func sign(j job) (any, error) {
	query := url.Values{}
	for name, value := range j.Query {
		query.Set(name, value)
	}
	request, err := http.NewRequest(j.Method, "https://oss.example.com/?"+query.Encode(), nil)
	if err != nil {
		return nil, err
	}
	for name, value := range j.Headers {
		request.Header.Set(name, value)
	}
	signing := &signer.SigningContext{
		Product:           oss.Ptr(j.Product),
		Region:            oss.Ptr(j.Region),
		Bucket:            oss.Ptr(j.Bucket),
		Key:               j.Key,
		Request:           request,
		AdditionalHeaders: j.AdditionalHeaders,
		Credentials: &credentials.Credentials{
			AccessKeyID:     j.Credentials.AccessKeyID,
			AccessKeySecret: j.Credentials.AccessKeySecret,
			SecurityToken:   j.Credentials.SecurityToken,
		},
		AuthMethodQuery: j.Form == "query",
		Time:            j.SignedAt,
	}
	if signing.AuthMethodQuery {
		// In the query form Time is the end of validity, and the moment of signing is a field for the SDK's own tests.
		signing.Time = j.SignedAt.Add(time.Duration(j.ExpiresInSeconds) * time.Second)
		field := reflect.ValueOf(signing).Elem().FieldByName("signTime")
		reflect.NewAt(field.Type(), unsafe.Pointer(field.UnsafeAddr())).Elem().Set(reflect.ValueOf(&j.SignedAt))
	}
	if err := (&signer.SignerV4{}).Sign(context.Background(), signing); err != nil {
		return nil, err
	}
	if signing.AuthMethodQuery {
		return signed{request.URL.Query().Get("x-oss-signature")}, nil
	}
	return signed{regexp.MustCompile("^.*Signature=").ReplaceAllString(request.Header.Get("Authorization"), "")}, nil
}

func perform(j job) (any, error) {
	ctx := context.Background()
	client := oss.NewClient(oss.LoadDefaultConfig().
		WithRegion(j.Region).
		WithEndpoint(j.Endpoint).
		WithUsePathStyle(true).
		WithRetryMaxAttempts(j.Attempts).
		WithCredentialsProvider(credentials.NewStaticCredentialsProvider(
			j.Credentials.AccessKeyID, j.Credentials.AccessKeySecret, j.Credentials.SecurityToken)))
	bucket := oss.Ptr(j.Bucket)
	switch j.Job {
	case "put":
		request := &oss.PutObjectRequest{
			Bucket: bucket, Key: j.Key, ContentType: j.ContentType, Metadata: j.Metadata, Body: bytes.NewReader(j.Body)}
		switch j.Callback.Place {
		case "header":
			request.Callback = oss.Ptr(j.Callback.Value)
		case "query":
			request.AddParameter("callback", j.Callback.Value)
		}
		result, err := client.PutObject(ctx, request)
		if err != nil {
			return nil, err
		}
		return done{Status: result.StatusCode, ETag: result.ETag}, nil
	case "get":
		result, err := client.GetObject(ctx, &oss.GetObjectRequest{Bucket: bucket, Key: j.Key})
		if err != nil {
			return nil, err
		}
		defer result.Body.Close()
		body, err := io.ReadAll(result.Body)
		return done{result.StatusCode, result.ETag, result.ContentType, result.Metadata, body}, err
	case "head":
		result, err := client.HeadObject(ctx, &oss.HeadObjectRequest{Bucket: bucket, Key: j.Key})
		if err != nil {
			return nil, err
		}
		return done{result.StatusCode, result.ETag, result.ContentType, result.Metadata, nil}, nil
	case "delete":
		result, err := client.DeleteObject(ctx, &oss.DeleteObjectRequest{Bucket: bucket, Key: j.Key})
		if err != nil {
			return nil, err
		}
		return done{Status: result.StatusCode}, nil
	case "exists":
		exists, err := client.IsObjectExist(ctx, j.Bucket, *j.Key)
		return existence{exists}, err
	case "list":
		return list(ctx, client, j)
	case "upload-file":
		result, err := client.NewUploader().UploadFile(ctx, &oss.PutObjectRequest{Bucket: bucket, Key: j.Key}, j.File)
		if err != nil {
			return nil, err
		}
		return transferred{result.ETag, result.HashCRC64}, nil
	case "download-file":
		_, err := client.NewDownloader().DownloadFile(ctx, &oss.GetObjectRequest{Bucket: bucket, Key: j.Key}, j.File)
		return transferred{}, err
	}
	return nil, errors.New("there is no job " + j.Job)
}

func list(ctx context.Context, client *oss.Client, j job) (any, error) {
	result := &listed{Objects: []object{}, Prefixes: []*string{}}
	bucket, prefix, delimiter := oss.Ptr(j.Bucket), oss.Ptr(j.Prefix), oss.Ptr(j.Delimiter)
	if j.Version == 1 {
		pages := client.NewListObjectsPaginator(&oss.ListObjectsRequest{
			Bucket: bucket, Prefix: prefix, Delimiter: delimiter, MaxKeys: j.PageSize})
		for pages.HasNext() {
			page, err := pages.NextPage(ctx)
			if err != nil {
				return nil, err
			}
			result.add(page.Contents, page.CommonPrefixes)
		}
		return result, nil
	}
	pages := client.NewListObjectsV2Paginator(&oss.ListObjectsV2Request{
		Bucket: bucket, Prefix: prefix, Delimiter: delimiter, MaxKeys: j.PageSize})
	for pages.HasNext() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, err
		}
		result.add(page.Contents, page.CommonPrefixes)
	}
	return result, nil
}
