package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"mime"
	"net"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/aliyun/alibabacloud-oss-go-sdk-v2/oss"
	"github.com/golang-jwt/jwt/v5"
)

// settings has the fields of PeerSettings in bench/setup/peer-settings.ts.
type settings struct {
	Audience, Bucket, Region     string
	AccessKeyID, AccessKeySecret string
	PublicKeys                   struct{ RS256, ES256 string }
	Secret                       string
	ContentTypes                 []string
	MaxSize                      int64
	ExpiresInSeconds             int
}

type claims struct {
	Scope string `json:"scope"`
	jwt.RegisteredClaims
}

type uploadRequest struct {
	Key           string `json:"key"`
	ContentType   string `json:"contentType"`
	ContentLength *int64 `json:"contentLength"`
}

type uploadResponse struct {
	Method        string            `json:"method"`
	URL           string            `json:"url"`
	Headers       map[string]string `json:"headers"`
	Key           string            `json:"key"`
	Bucket        string            `json:"bucket"`
	Region        string            `json:"region"`
	ContentLength int64             `json:"contentLength"`
	Expires       int               `json:"expires"`
	ExpiresAt     string            `json:"expiresAt"`
	ServerTime    string            `json:"serverTime"`
}

var keyPattern = regexp.MustCompile(`^[\w.-]+(/[\w.-]+)*$`)

func serve(s settings) {
	rsaKey, err := jwt.ParseRSAPublicKeyFromPEM([]byte(s.PublicKeys.RS256))
	if err != nil {
		log.Fatal(err)
	}
	ecKey, err := jwt.ParseECPublicKeyFromPEM([]byte(s.PublicKeys.ES256))
	if err != nil {
		log.Fatal(err)
	}
	keys := map[string]any{"RS256": rsaKey, "ES256": ecKey, "HS256": []byte(s.Secret)}
	parser := jwt.NewParser(
		jwt.WithValidMethods([]string{"RS256", "ES256", "HS256"}),
		jwt.WithAudience(s.Audience), jwt.WithExpirationRequired())
	client := newClient(s.Region, s.AccessKeyID, s.AccessKeySecret)

	http.HandleFunc("GET /livez", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "ok") })
	http.HandleFunc("POST /v1/uploads", func(w http.ResponseWriter, r *http.Request) {
		var caller claims
		_, err := parser.ParseWithClaims(strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer "), &caller,
			func(token *jwt.Token) (any, error) { return keys[token.Method.Alg()], nil })
		if err != nil {
			http.Error(w, "unauthenticated", http.StatusUnauthorized)
			return
		}
		var upload uploadRequest
		body := json.NewDecoder(http.MaxBytesReader(w, r.Body, 65536))
		body.DisallowUnknownFields()
		if err := body.Decode(&upload); err != nil || upload.ContentLength == nil {
			http.Error(w, "invalid request", http.StatusBadRequest)
			return
		}
		if err := s.deny(caller, upload); err != nil {
			http.Error(w, err.Error(), http.StatusForbidden)
			return
		}
		presigned, err := client.Presign(r.Context(), &oss.PutObjectRequest{
			Bucket:          oss.Ptr(s.Bucket),
			Key:             oss.Ptr(upload.Key),
			ContentType:     oss.Ptr(upload.ContentType),
			ContentLength:   upload.ContentLength,
			ForbidOverwrite: oss.Ptr("true"),
		}, oss.PresignExpires(time.Duration(s.ExpiresInSeconds)*time.Second))
		if err != nil {
			http.Error(w, "internal", http.StatusInternalServerError)
			return
		}
		// net/http sends a length by itself for what fits its buffer of 2048 bytes, which this does.
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Cache-Control", "no-store")
		w.WriteHeader(http.StatusCreated)
		json.NewEncoder(w).Encode(uploadResponse{
			Method: presigned.Method, URL: presigned.URL, Headers: presigned.SignedHeaders, Key: upload.Key,
			Bucket: s.Bucket, Region: s.Region, ContentLength: *upload.ContentLength, Expires: s.ExpiresInSeconds,
			ExpiresAt:  presigned.Expiration.UTC().Format(time.RFC3339),
			ServerTime: time.Now().UTC().Format(time.RFC3339),
		})
	})

	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf(`{"msg":"listening","address":"http://%s"}`+"\n", listener.Addr())
	log.Fatal(http.Serve(listener, nil))
}

func (s settings) deny(caller claims, upload uploadRequest) error {
	mediaType, _, err := mime.ParseMediaType(upload.ContentType)
	switch {
	case !slices.Contains(strings.Fields(caller.Scope), "uploads:write"):
		return errors.New("no rule")
	case !strings.HasPrefix(upload.Key, "users/"+caller.Subject+"/") || !keyPattern.MatchString(upload.Key):
		return errors.New("key not allowed")
	case err != nil || !slices.Contains(s.ContentTypes, mediaType):
		return errors.New("type not allowed")
	case *upload.ContentLength < 0 || *upload.ContentLength > s.MaxSize:
		return errors.New("too large")
	}
	return nil
}
