package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	gcaws "gocloud.dev/aws"
	"gocloud.dev/blob"
	"gocloud.dev/blob/s3blob"
)

// usualRegion is the region if nothing says one; servers other than Amazon's don't care.
const usualRegion = "us-east-1"

// openS3 opens a bucket with the parameters of its URL and the environment, as
// [gcaws.V2ConfigFromURLParams] and the AWS SDK understand them. For other servers than
// Amazon's (endpoint, AWS_ENDPOINT_URL), buckets are in the path, not in the host's name,
// and checksums aren't added unless they are asked for, because many don't know them.
func openS3(ctx context.Context, u *url.URL) (*blob.Bucket, error) {
	query := u.Query()
	own := query.Get("endpoint") != "" || os.Getenv("AWS_ENDPOINT_URL") != "" || os.Getenv("AWS_ENDPOINT_URL_S3") != ""
	pathStyle, err := takeBool(query, "use_path_style", own)
	if err != nil {
		return nil, err
	}
	anonymous, err := takeBool(query, "anonymous", isOn(os.Getenv("AWS_NO_SIGN_REQUEST")))
	if err != nil {
		return nil, err
	}
	query.Set("anonymous", strconv.FormatBool(anonymous))
	if own && query.Get("request_checksum_calculation") == "" && os.Getenv("AWS_REQUEST_CHECKSUM_CALCULATION") == "" {
		query.Set("request_checksum_calculation", "when_required")
	}
	config, err := gcaws.V2ConfigFromURLParams(ctx, query)
	if err != nil {
		return nil, fmt.Errorf("s3://%s: %w", u.Host, err)
	}
	if config.Region == "" {
		config.Region = usualRegion
	}
	if !anonymous { // the SDK knows those without credentials by their type
		config.Credentials = withAdvice{config.Credentials}
	}
	client := s3.NewFromConfig(config, func(o *s3.Options) {
		o.UsePathStyle = pathStyle
		o.DisableLogOutputChecksumValidationSkipped = true // a line for each object
	})
	return s3blob.OpenBucket(ctx, client, u.Host, &s3blob.Options{RequestChecksumCalculation: config.RequestChecksumCalculation})
}

// takeBool takes a parameter out of a query.
func takeBool(query url.Values, name string, missing bool) (bool, error) {
	text := query.Get(name)
	query.Del(name)
	if text == "" {
		return missing, nil
	}
	value, err := strconv.ParseBool(text)
	if err != nil {
		return false, fmt.Errorf("%s=%s: it must be true or false", name, text)
	}
	return value, nil
}

func isOn(text string) bool {
	on, err := strconv.ParseBool(text)
	return err == nil && on || strings.EqualFold(text, "yes")
}

// withAdvice says what to do if there are no credentials.
type withAdvice struct{ aws.CredentialsProvider }

func (w withAdvice) Retrieve(ctx context.Context) (aws.Credentials, error) {
	c, err := w.CredentialsProvider.Retrieve(ctx)
	if err != nil {
		err = errors.Join(errors.New("there are no credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE; for a public bucket, AWS_NO_SIGN_REQUEST=true"), err)
	}
	return c, err
}
