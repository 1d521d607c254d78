// Uploads a file through oss-presign: asks the service for a signed URL, then sends the file to
// that URL.
//
// Without KEY the service creates the object key. OSS_PRESIGN_TOKEN and OSS_PRESIGN_URL come from
// the environment.
package main

import (
	"bytes"
	"cmp"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"log"
	"mime"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

const longestWaitSeconds = 30

// grant is a response of the service: a grant, or a problem with Detail and Errors.
type grant struct {
	Method, URL, Key, Detail string
	Headers                  map[string]string
	Errors                   []struct{ Detail string }
}

func main() {
	log.SetFlags(0)
	path, request := readArguments()
	size := must(os.Stat(path)).Size()
	request["contentLength"] = size
	granted := askService(must(json.Marshal(request)))

	sent, attempt := sendFile(path, size, granted)
	defer sent.Body.Close()
	fmt.Fprintln(os.Stderr)
	switch {
	case sent.StatusCode == http.StatusOK:
	case sent.StatusCode == http.StatusNonAuthoritativeInfo:
		log.Print("Stored, but OSS could not notify the application. Do not upload the file again.")
	case sent.StatusCode == http.StatusConflict && attempt == 2:
		log.Print("Stored by the first attempt, whose response was lost.")
	default:
		var reason struct{ Code, Message string }
		_ = xml.NewDecoder(sent.Body).Decode(&reason) // Without XML the status has to do.
		log.Printf("OSS rejected the upload: %d %s: %s", sent.StatusCode, reason.Code, reason.Message)
		if sent.StatusCode == http.StatusConflict {
			log.Print("The key is taken: choose another one, or leave KEY out.")
		}
		os.Exit(1)
	}
	fmt.Printf("key:  %s\n", granted.Key)
	if sent.StatusCode != http.StatusConflict {
		fmt.Printf("ETag: %s\n", sent.Header.Get("ETag"))
	}
}

func readArguments() (path string, request map[string]any) {
	var positional []string
	metadata := map[string]string{}
	for i := 1; i < len(os.Args); i++ {
		if os.Args[i] == "--meta" && i+1 < len(os.Args) {
			i++
			name, value, found := strings.Cut(os.Args[i], "=")
			if !found || name == "" {
				usage()
			}
			metadata[name] = value
		} else if strings.HasPrefix(os.Args[i], "--") {
			usage()
		} else {
			positional = append(positional, os.Args[i])
		}
	}
	if len(positional) < 1 || len(positional) > 3 || os.Getenv("OSS_PRESIGN_TOKEN") == "" {
		usage()
	}
	path, positional = positional[0], append(positional, "", "")
	// Without parameters: the guess of Go adds a charset to every text type.
	guess, _, _ := strings.Cut(mime.TypeByExtension(filepath.Ext(path)), ";")
	request = map[string]any{"contentType": cmp.Or(positional[2], guess, "application/octet-stream")}
	if key := positional[1]; key != "" {
		request["key"] = key
	} else {
		request["filename"] = filepath.Base(path)
	}
	if len(metadata) > 0 {
		request["metadata"] = metadata
	}
	return path, request
}

func usage() {
	log.Print("usage: upload FILE [KEY] [TYPE] [--meta NAME=VALUE]...   (needs OSS_PRESIGN_TOKEN)")
	os.Exit(2)
}

// askService sends the request up to three times: 429 and 503 are repeated after Retry-After, a
// network error once.
func askService(body []byte) (granted grant) {
	networkErrors := 0
	for attempt := 1; ; attempt++ {
		ask := must(http.NewRequest("POST", cmp.Or(os.Getenv("OSS_PRESIGN_URL"), "http://localhost:8080")+"/v1/uploads", bytes.NewReader(body)))
		ask.Header.Set("Authorization", "Bearer "+os.Getenv("OSS_PRESIGN_TOKEN"))
		ask.Header.Set("Content-Type", "application/json")
		response, err := http.DefaultClient.Do(ask)
		wait := 1
		if err != nil {
			if networkErrors++; networkErrors == 2 || attempt == 3 {
				log.Fatalf("The service cannot be reached: %v", withoutURL(err))
			}
		} else {
			granted = grant{}
			err = json.NewDecoder(response.Body).Decode(&granted)
			response.Body.Close()
			if response.StatusCode == http.StatusCreated && err == nil {
				return granted
			}
			if after, err := strconv.Atoi(response.Header.Get("Retry-After")); err == nil {
				wait = after
			}
			isBusy := response.StatusCode == http.StatusTooManyRequests || response.StatusCode == http.StatusServiceUnavailable
			if !isBusy || attempt == 3 || wait > longestWaitSeconds {
				var details []string
				for _, fault := range granted.Errors {
					details = append(details, fault.Detail)
				}
				reason := cmp.Or(strings.Join(details, " "), granted.Detail, fmt.Sprintf("HTTP %d", response.StatusCode))
				log.Fatalf("The service rejected the request: %s", reason)
			}
		}
		time.Sleep(time.Duration(wait) * time.Second)
	}
}

// sendFile sends the file up to two times: a network error and a 5xx response are repeated once.
func sendFile(path string, size int64, granted grant) (response *http.Response, attempt int) {
	for attempt = 1; ; attempt++ {
		file := must(os.Open(path))
		var body io.ReadCloser = struct {
			io.Reader
			io.Closer
		}{io.TeeReader(file, &progress{total: size}), file}
		if size == 0 {
			body = http.NoBody // Go would send any other body of length 0 in chunks.
		}
		upload := must(http.NewRequest(granted.Method, granted.URL, body))
		upload.ContentLength = size
		for name, value := range granted.Headers {
			upload.Header.Set(name, value)
		}
		response, err := http.DefaultClient.Do(upload)
		if err == nil && (response.StatusCode < 500 || attempt == 2) {
			return response, attempt
		}
		if err != nil && attempt == 2 {
			log.Fatalf("\nOSS cannot be reached: %v", withoutURL(err))
		}
		time.Sleep(time.Second)
	}
}

func must[T any](value T, err error) T {
	if err != nil {
		log.Fatal(withoutURL(err))
	}
	return value
}

// withoutURL unwraps the errors that quote the URL, which is signed.
func withoutURL(err error) error {
	var quoting *url.Error
	for errors.As(err, &quoting) {
		err = quoting.Err
	}
	return err
}

type progress struct{ sent, total int64 }

func (p *progress) Write(piece []byte) (int, error) {
	p.sent += int64(len(piece))
	fmt.Fprintf(os.Stderr, "\r%3d %%", 100*p.sent/p.total)
	return len(piece), nil
}
