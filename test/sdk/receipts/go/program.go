// Verifies receipts with golang-jwt and keyfunc: one JSON object a line on stdin, one on stdout, in the same order. The
// fields are the types of ../receipt-program.ts.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"os"

	"github.com/MicahParks/keyfunc/v3"
	"github.com/golang-jwt/jwt/v5"
)

type job struct {
	JWKS     string `json:"jwks"`
	Issuer   string `json:"issuer"`
	Audience string `json:"audience"`
	Receipt  string `json:"receipt"`
}

// Keeps the keys, as in a backend, and fetches them again for an unknown kid.
var keys = map[string]keyfunc.Keyfunc{}

func verify(work job) (jwt.MapClaims, error) {
	known, ok := keys[work.JWKS]
	if !ok {
		var err error
		if known, err = keyfunc.NewDefaultCtx(context.Background(), []string{work.JWKS}); err != nil {
			return nil, err
		}
		keys[work.JWKS] = known
	}
	claims := jwt.MapClaims{}
	token, err := jwt.ParseWithClaims(work.Receipt, claims, known.Keyfunc,
		jwt.WithValidMethods([]string{"ES256"}),
		jwt.WithIssuer(work.Issuer),
		jwt.WithAudience(work.Audience),
		jwt.WithExpirationRequired(),
		jwt.WithIssuedAt(),
	)
	if err != nil {
		return nil, err
	}
	if token.Header["typ"] != "upload-receipt+jwt" {
		return nil, errors.New("not a receipt")
	}
	return claims, nil
}

func main() {
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 1<<20)
	out := json.NewEncoder(os.Stdout)
	for lines.Scan() {
		var work job
		if err := json.Unmarshal(lines.Bytes(), &work); err != nil {
			panic(err)
		}
		claims, err := verify(work)
		if err != nil {
			out.Encode(map[string]any{"rejected": err.Error()})
			continue
		}
		out.Encode(map[string]any{"claims": claims})
	}
}
