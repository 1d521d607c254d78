// Uploads a large file in parts through oss-presign. The same command continues an upload that broke
// off: FILE.oss-presign holds its id. OSS_PRESIGN_TOKEN and OSS_PRESIGN_URL come from the environment.
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
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

const attempts, longestWait, partsPerRequest, parallelParts = 4, time.Minute, 20, 4

// fields are those of all responses of the service, and of the items in them.
type fields struct {
	ID, Key, State, Receipt, Code, Detail, Method, URL string
	ContentLength, Offset                              int64
	From, To, PartNumber                               int
	Headers                                            map[string]string
	Missing, Parts, Errors                             []fields
}

func main() {
	log.SetFlags(0)
	if len(os.Args) < 2 || len(os.Args) > 4 || strings.HasPrefix(os.Args[1], "--") || os.Getenv("OSS_PRESIGN_TOKEN") == "" {
		log.Print("usage: upload FILE [KEY] [TYPE]   (needs OSS_PRESIGN_TOKEN)")
		os.Exit(2)
	}
	args, state := append(os.Args[1:], "", ""), os.Args[1]+".oss-presign"
	file, size := must(os.Open(args[0])), must(os.Stat(args[0])).Size()
	saved, _ := os.ReadFile(state) // There is none unless an upload broke off.
	id, upload := string(saved), fields{}
	if id != "" {
		upload = ask("/status", map[string]any{"id": id}, "upload_id_invalid", "upload_id_expired")
		log.Printf("Unfinished upload: %s", cmp.Or(upload.State, upload.Detail))
	}
	if upload.State == "" || upload.State == "absent" {
		log.Print("Starting a new upload.")
		// Without parameters: the guess of Go adds a charset to every text type.
		guess, _, _ := strings.Cut(mime.TypeByExtension(filepath.Ext(args[0])), ";")
		name := map[bool]string{true: "key", false: "filename"}[args[1] != ""]
		id = ask("", map[string]any{"transfer": "multipart", name: cmp.Or(args[1], filepath.Base(args[0])),
			"contentType": cmp.Or(args[2], guess, "application/octet-stream"), "contentLength": size}).ID
		os.Remove(state) // An existing file would keep its mode.
		must(0, os.WriteFile(state, []byte(id), 0o600))
		upload = ask("/status", map[string]any{"id": id})
	}
	if upload.ContentLength != size {
		log.Fatalf("The file had %d bytes and has %d now. Delete %s to start again.", upload.ContentLength, size, state)
	}
	sendParts(file, id, upload.Missing)
	stored := ask("/complete", map[string]any{"id": id})
	must(0, os.Remove(state))
	fmt.Printf("key:  %s\nreceipt: %s\n", stored.Key, map[bool]string{true: "yes", false: "no"}[stored.Receipt != ""])
}

// sendParts signs the parts that are missing, some at a time, and sends a few in parallel.
func sendParts(file *os.File, id string, gaps []fields) {
	var missing []int
	for _, gap := range gaps {
		for number := gap.From; number <= gap.To; number++ {
			missing = append(missing, number)
		}
	}
	running := make(chan bool, parallelParts)
	for numbers := range slices.Chunk(missing, partsPerRequest) {
		log.Printf("Parts left: %d", len(missing)-slices.Index(missing, numbers[0]))
		for _, part := range ask("/parts", map[string]any{"id": id, "partNumbers": numbers}).Parts {
			running <- true
			go func() { sendPart(file, id, part, 1); <-running }()
		}
	}
	for range parallelParts {
		running <- true
	}
}

// sendPart sends one part, and signs it again if its URL has expired.
func sendPart(file *os.File, id string, part fields, attempt int) {
	status, body := send("OSS", part.Method, part.URL, part.Headers, io.NewSectionReader(file, part.Offset, part.ContentLength))
	var reason struct{ Code, Message string }
	_ = xml.Unmarshal(body, &reason) // Without XML the status has to do.
	if reason.Message == "Request has expired." && attempt < attempts {
		sendPart(file, id, ask("/parts", map[string]any{"id": id, "partNumbers": []int{part.PartNumber}}).Parts[0], attempt+1)
	} else if status != http.StatusOK {
		log.Fatalf("OSS rejected a part: %d %s: %s\nRun the command again to continue.", status, reason.Code, reason.Message)
	}
}

// ask returns a 2xx response of the service, or a problem with one of these codes. Any other response ends the program.
func ask(path string, question map[string]any, acceptedCodes ...string) (result fields) {
	url := cmp.Or(os.Getenv("OSS_PRESIGN_URL"), "http://localhost:8080") + "/v1/uploads" + path
	headers := map[string]string{"Authorization": "Bearer " + os.Getenv("OSS_PRESIGN_TOKEN"), "Content-Type": "application/json"}
	content := bytes.NewReader(must(json.Marshal(question)))
	status, body := send("The service", "POST", url, headers, io.NewSectionReader(content, 0, content.Size()))
	if err := json.Unmarshal(body, &result); err != nil || status >= 300 && !slices.Contains(acceptedCodes, result.Code) {
		for _, fault := range result.Errors {
			result.Detail += "\n" + fault.Detail
		}
		log.Fatalf("The service rejected the request: %s", cmp.Or(result.Detail, fmt.Sprintf("HTTP %d", status)))
	}
	return result
}

// send repeats a network error, 429 and 5xx.
func send(receiver, method, url string, headers map[string]string, content *io.SectionReader) (int, []byte) {
	for attempt := 1; ; attempt++ {
		request, err := http.NewRequest(method, url, io.NewSectionReader(content, 0, content.Size()))
		if err != nil {
			log.Fatalf("%s has a URL that cannot be used: %v", receiver, errors.Unwrap(err))
		}
		request.ContentLength = content.Size()
		for name, value := range headers {
			request.Header.Set(name, value)
		}
		wait := time.Second << (attempt - 1)
		if response, err := http.DefaultClient.Do(request); err == nil {
			body, _ := io.ReadAll(response.Body) // A body that breaks off is no JSON.
			response.Body.Close()
			after, _ := time.ParseDuration(response.Header.Get("Retry-After") + "s")
			wait = max(wait, after)
			isBusy := response.StatusCode == 429 || response.StatusCode >= 500 || bytes.Contains(body, []byte("<Code>RequestTimeout<"))
			if !isBusy || attempt == attempts || wait > longestWait {
				return response.StatusCode, body
			}
		} else if attempt == attempts {
			log.Fatalf("%s cannot be reached: %v", receiver, errors.Unwrap(err)) // The error itself quotes the signed URL.
		}
		time.Sleep(wait)
	}
}

func must[T any](value T, err error) T {
	if err != nil {
		log.Fatal(err)
	}
	return value
}
