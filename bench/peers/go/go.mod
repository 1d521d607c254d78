module example.com/oss-presign/bench/peers/go

go 1.24

require (
	github.com/aliyun/alibabacloud-oss-go-sdk-v2 v1.6.1
	github.com/golang-jwt/jwt/v5 v5.3.1
)

require golang.org/x/time v0.4.0 // indirect
