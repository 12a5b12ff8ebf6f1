package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"net/http"
	"net/url"
	"sync"

	"github.com/aws/smithy-go"
	"gocloud.dev/blob"
	_ "gocloud.dev/blob/gcsblob" // gs://
	"gocloud.dev/gcerrors"
	"google.golang.org/api/googleapi"

	"gaze/internal/bucketserver"
)

// buckets are the buckets that were opened, by their URLs.
type buckets struct {
	mu     sync.Mutex
	opened map[string]*blob.Bucket
}

// open opens a bucket once. It makes no request.
func (b *buckets) open(_ context.Context, at string) (bucketserver.Bucket, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if known, ok := b.opened[at]; ok {
		return driver{known}, nil
	}
	// Clients keep the context, which must therefore not be that of a request.
	opened, err := openBucket(context.Background(), at)
	if err != nil {
		return nil, err
	}
	if b.opened == nil {
		b.opened = map[string]*blob.Bucket{}
	}
	b.opened[at] = opened
	return driver{opened}, nil
}

func openBucket(ctx context.Context, at string) (*blob.Bucket, error) {
	u, err := url.Parse(at)
	if err != nil {
		return nil, err
	}
	if u.Scheme == "s3" {
		return openS3(ctx, u)
	}
	return blob.OpenBucket(ctx, at)
}

func (b *buckets) close() (err error) {
	for _, opened := range b.opened {
		err = errors.Join(err, opened.Close())
	}
	return err
}

// driver does what bucketserver asks for.
type driver struct{ *blob.Bucket }

func (d driver) Open(ctx context.Context, name string, offset, length int64) (io.ReadCloser, bucketserver.Info, error) {
	r, err := d.NewRangeReader(ctx, name, offset, length, nil)
	if err != nil {
		return nil, bucketserver.Info{}, d.explain(err)
	}
	return r, bucketserver.Info{Size: r.Size(), Tag: fmt.Sprintf(`"%x-%x"`, r.ModTime().UnixNano(), r.Size())}, nil
}

func (d driver) Put(ctx context.Context, name string, body io.Reader, fresh bool) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	w, err := d.NewWriter(ctx, name, &blob.WriterOptions{ContentType: "application/octet-stream", IfNotExist: fresh})
	if err != nil {
		return d.explain(err)
	}
	if _, err := io.Copy(w, body); err != nil {
		cancel() // else closing would make an object of what came so far
		return errors.Join(d.explain(err), ignore(w.Close()))
	}
	err = d.explain(w.Close())
	if fresh && gcerrors.Code(err) == gcerrors.FailedPrecondition {
		return as(fs.ErrExist, err)
	}
	return err
}

// ignore takes an error that follows from another.
func ignore(error) error { return nil }

func (d driver) Remove(ctx context.Context, name string) error {
	return d.explain(d.Delete(ctx, name))
}

func (d driver) List(ctx context.Context, prefix string) iter.Seq2[bucketserver.Line, error] {
	return func(yield func(bucketserver.Line, error) bool) {
		objects := d.Bucket.List(&blob.ListOptions{Prefix: prefix})
		for {
			o, err := objects.Next(ctx)
			if errors.Is(err, io.EOF) {
				return
			}
			if err != nil {
				yield(bucketserver.Line{}, d.explain(err))
				return
			}
			if !yield(bucketserver.Line{Name: o.Key, Size: o.Size, Modified: o.ModTime}, nil) {
				return
			}
		}
	}
}

// explained is an error of a driver in few words, which also is one of package fs.
type explained struct {
	kind, err error
	text      string
}

func (e *explained) Error() string   { return e.text }
func (e *explained) Unwrap() []error { return []error{e.kind, e.err} }

func as(kind, err error) error { return &explained{kind, err, err.Error()} }

// explain shortens a driver's error and gives it the kind by which package store knows it.
func (d driver) explain(err error) error {
	if err == nil {
		return nil
	}
	kind, text := error(nil), err.Error()
	var api smithy.APIError
	if d.ErrorAs(err, &api) {
		text = api.ErrorCode()
		if api.ErrorMessage() != "" {
			text += ": " + api.ErrorMessage()
		}
		switch api.ErrorCode() {
		case "InvalidRange":
			kind = bucketserver.ErrRange
		case "ConditionalRequestConflict":
			kind = bucketserver.ErrConflict
		case "InvalidAccessKeyId", "SignatureDoesNotMatch", "ExpiredToken", "InvalidToken":
			kind = fs.ErrPermission
		}
	}
	var google *googleapi.Error
	if d.ErrorAs(err, &google) && google.Code == http.StatusRequestedRangeNotSatisfiable {
		kind = bucketserver.ErrRange
	}
	switch code := gcerrors.Code(err); {
	case kind != nil:
	case code == gcerrors.NotFound:
		kind = fs.ErrNotExist
	case code == gcerrors.PermissionDenied:
		kind = fs.ErrPermission
	}
	return &explained{kind, err, text}
}
