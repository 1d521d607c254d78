package main

import (
	"context"
	"encoding/json"
	"log"
	"os"
	"syscall"
	"time"

	"github.com/aliyun/alibabacloud-oss-go-sdk-v2/oss"
)

// signingInput has the fields of SigningInput in bench/signing/signing-input.ts.
type signingInput struct {
	Region, Bucket, Key, ContentType string
	AccessKeyID, AccessKeySecret     string
	ContentLength                    int64
	ExpiresInSeconds, Milliseconds   int
}

func sign(input signingInput) {
	client := newClient(input.Region, input.AccessKeyID, input.AccessKeySecret)
	once := func() {
		_, err := client.Presign(context.Background(), &oss.PutObjectRequest{
			Bucket:          oss.Ptr(input.Bucket),
			Key:             oss.Ptr(input.Key),
			ContentType:     oss.Ptr(input.ContentType),
			ContentLength:   oss.Ptr(input.ContentLength),
			ForbidOverwrite: oss.Ptr("true"),
		}, oss.PresignExpires(time.Duration(input.ExpiresInSeconds)*time.Second))
		if err != nil {
			log.Fatal(err)
		}
	}
	duration := time.Duration(input.Milliseconds) * time.Millisecond
	measure(duration/2, once)
	if err := json.NewEncoder(os.Stdout).Encode(measure(duration, once)); err != nil {
		log.Fatal(err)
	}
}

// measure repeats an operation for a while and returns the microseconds of the processor that one took.
func measure(duration time.Duration, operation func()) float64 {
	started, before, count := time.Now(), processorTime(), 0
	for time.Since(started) < duration {
		for range 100 {
			operation()
		}
		count += 100
	}
	return float64((processorTime() - before).Microseconds()) / float64(count)
}

func processorTime() time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		log.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
