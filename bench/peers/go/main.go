// Command peer is what a Go team would write: it checks a token, a policy of one rule and signs with the official OSS Go
// SDK V2. `peer serve SETTINGS` listens on a free port and prints it; `peer sign INPUT` signs for a while and prints how
// long one signature took, in microseconds.
package main

import (
	"encoding/json"
	"log"
	"os"

	"github.com/aliyun/alibabacloud-oss-go-sdk-v2/oss"
	"github.com/aliyun/alibabacloud-oss-go-sdk-v2/oss/credentials"
)

func main() {
	if len(os.Args) != 3 {
		log.Fatal("usage: peer serve SETTINGS | peer sign INPUT")
	}
	switch os.Args[1] {
	case "serve":
		serve(read[settings](os.Args[2]))
	case "sign":
		sign(read[signingInput](os.Args[2]))
	default:
		log.Fatalf("there is no command %s", os.Args[1])
	}
}

func read[T any](path string) (value T) {
	text, err := os.ReadFile(path)
	if err != nil {
		log.Fatal(err)
	}
	if err := json.Unmarshal(text, &value); err != nil {
		log.Fatal(err)
	}
	return value
}

// newClient makes a client that signs the length as well, as our service does.
func newClient(region, accessKeyID, accessKeySecret string) *oss.Client {
	return oss.NewClient(oss.LoadDefaultConfig().
		WithRegion(region).
		WithAdditionalHeaders([]string{"content-length"}).
		WithCredentialsProvider(credentials.NewStaticCredentialsProvider(accessKeyID, accessKeySecret)))
}
