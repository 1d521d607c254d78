// Uploads a file with the permission of oss-presign: asks for a URL, then sends the file to it.
//
// usage: go run upload.go FILE KEY CONTENT-TYPE
// OSS_PRESIGN_TOKEN and OSS_PRESIGN_URL come from the environment.
package main

import (
	"bytes"
	"cmp"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
)

func main() {
	log.SetFlags(0)
	if len(os.Args) != 4 {
		log.Fatal("usage: upload FILE KEY CONTENT-TYPE")
	}
	file := must(os.Open(os.Args[1]))
	defer file.Close()
	size := must(file.Stat()).Size()

	question := must(json.Marshal(map[string]any{
		"key": os.Args[2], "contentType": os.Args[3], "contentLength": size,
		"metadata": map[string]string{"album": "examples"},
	}))
	service := cmp.Or(os.Getenv("OSS_PRESIGN_URL"), "http://localhost:8080")
	ask := must(http.NewRequest("POST", service+"/v1/uploads", bytes.NewReader(question)))
	ask.Header.Set("Authorization", "Bearer "+os.Getenv("OSS_PRESIGN_TOKEN"))
	ask.Header.Set("Content-Type", "application/json")
	answer := must(http.DefaultClient.Do(ask))
	defer answer.Body.Close()
	var grant struct {
		Method, URL, Key, Detail string
		Headers                  map[string]string
	}
	if err := json.NewDecoder(answer.Body).Decode(&grant); err != nil {
		log.Fatal(err)
	}
	if answer.StatusCode != http.StatusCreated {
		log.Fatalf("The service refused: %s", grant.Detail)
	}

	upload := must(http.NewRequest(grant.Method, grant.URL, io.TeeReader(file, &progress{total: size})))
	upload.ContentLength = size
	if size == 0 {
		upload.Body = http.NoBody // Go takes the length 0 beside a body for "unknown" and would send chunks.
	}
	for name, value := range grant.Headers {
		upload.Header.Set(name, value)
	}
	sent := must(http.DefaultClient.Do(upload))
	fmt.Fprintln(os.Stderr)
	defer sent.Body.Close()
	if sent.StatusCode != http.StatusOK {
		var refusal struct{ Code, Message string }
		if err := xml.NewDecoder(sent.Body).Decode(&refusal); err != nil {
			log.Fatal(err)
		}
		log.Fatalf("OSS refused: %d %s: %s", sent.StatusCode, refusal.Code, refusal.Message)
	}
	fmt.Printf("key:  %s\nETag: %s\n", grant.Key, sent.Header.Get("ETag"))
}

func must[T any](value T, err error) T {
	if err != nil {
		log.Fatal(err)
	}
	return value
}

type progress struct{ sent, total int64 }

func (p *progress) Write(piece []byte) (int, error) {
	p.sent += int64(len(piece))
	fmt.Fprintf(os.Stderr, "\r%3d %%", 100*p.sent/p.total)
	return len(piece), nil
}
