package hub

import (
	"bytes"
	"crypto/sha1"
	"encoding/hex"
	"fmt"
	"io"
	"mime"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// answer is the information about the file in a response's headers, checked against
// what is already known.
type answer struct {
	start   int64  // offset in the file at which the body begins
	size    int64  // size of the whole file, 0 if neither the server nor the catalogue says
	etag    string // the file's ETag
	sha256  string // expected, "" if neither the catalogue nor the server says
	gitBlob string // expected git object id, "" if the server doesn't say
}

// judge checks the headers of a response to a request for the bytes from offset have.
func (d Download) judge(resp *http.Response, have int64, state partState) (answer, error) {
	a := answer{etag: resp.Header.Get("ETag"), size: d.Size, sha256: d.SHA256}
	declared := int64(0)
	switch resp.StatusCode {
	case http.StatusOK:
		declared = max(resp.ContentLength, 0)
	case http.StatusPartialContent:
		start, size, err := parseContentRange(resp.Header.Get("Content-Range"))
		if err != nil || start != have || have == 0 {
			return answer{}, fmt.Errorf("%w, or it sends a range (%q) other than the one requested", errChanged, resp.Header.Get("Content-Range"))
		}
		if a.etag != "" && state.ETag != "" && a.etag != state.ETag || size > 0 && state.Size > 0 && size != state.Size {
			return answer{}, errChanged
		}
		a.start, declared = start, size
	case http.StatusRequestedRangeNotSatisfiable:
		return answer{}, fmt.Errorf("%w, or it is shorter than it declared (416)", errChanged)
	default:
		return answer{}, statusError(resp, time.Now())
	}
	if kind, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type")); kind == "text/html" && !isHTMLName(d.Path) {
		return answer{}, fmt.Errorf("%w: it sent a web page instead of the file (perhaps a login page)", ErrRefused)
	}
	linked := linkedHeaders(resp)
	if linked.size > 0 && declared == 0 {
		declared = linked.size
	}
	if a.size == 0 {
		a.size = declared
	}
	for _, other := range []int64{declared, linked.size} {
		if other > 0 && a.size != other {
			return answer{}, fmt.Errorf("%w: it declares %d bytes, expected %d", ErrChecksum, other, a.size)
		}
	}
	if a.sha256 == "" {
		a.sha256, a.gitBlob = linked.sha256, linked.gitBlob
	}
	return a, nil
}

// linked is the information in Hugging Face's own response, before the redirect to its
// storage: size and SHA-256 of a large file (X-Linked-Size, X-Linked-Etag), the git
// object id of a small one (ETag).
type linked struct {
	size            int64
	sha256, gitBlob string
}

func linkedHeaders(resp *http.Response) linked {
	var l linked
	for r := resp; r != nil; r = r.Request.Response {
		if l.size == 0 {
			l.size, _ = strconv.ParseInt(r.Header.Get("X-Linked-Size"), 10, 64)
			l.size = max(l.size, 0)
		}
		if tag := unquoteETag(r.Header.Get("X-Linked-Etag")); isHex(tag, 64) {
			l.sha256 = strings.ToLower(tag)
		}
		if r.Header.Get("X-Repo-Commit") != "" {
			switch tag := unquoteETag(r.Header.Get("ETag")); {
			case isHex(tag, 40):
				l.gitBlob = strings.ToLower(tag)
			case isHex(tag, 64):
				l.sha256 = strings.ToLower(tag)
			}
		}
		if r.Request == nil {
			break
		}
	}
	if l.sha256 != "" {
		l.gitBlob = "" // the git object is only an LFS pointer to the file
	}
	return l
}

// parseContentRange parses "bytes 5-9/10"; a size of "*" gives 0.
func parseContentRange(s string) (start, size int64, err error) {
	spec, ok := strings.CutPrefix(s, "bytes ")
	if !ok {
		return 0, 0, fmt.Errorf("not a range of bytes: %q", s)
	}
	span, total, ok := strings.Cut(spec, "/")
	first, last, ok2 := strings.Cut(span, "-")
	if !ok || !ok2 {
		return 0, 0, fmt.Errorf("not a range of bytes: %q", s)
	}
	start, err1 := strconv.ParseInt(first, 10, 64)
	end, err2 := strconv.ParseInt(last, 10, 64)
	if err1 != nil || err2 != nil || start < 0 || end < start {
		return 0, 0, fmt.Errorf("not a range of bytes: %q", s)
	}
	if total == "*" {
		return start, 0, nil
	}
	size, err = strconv.ParseInt(total, 10, 64)
	if err != nil || size <= end {
		return 0, 0, fmt.Errorf("not a range of bytes: %q", s)
	}
	return start, size, nil
}

// strongETag reports whether equal tags mean equal bytes.
func strongETag(tag string) bool { return len(tag) > 2 && tag[0] == '"' }

func unquoteETag(tag string) string {
	return strings.Trim(strings.TrimPrefix(tag, "W/"), `"`)
}

func isHex(s string, n int) bool {
	_, err := hex.DecodeString(s)
	return len(s) == n && err == nil
}

func isHTMLName(path string) bool {
	ext := strings.ToLower(filepath.Ext(path))
	return ext == ".html" || ext == ".htm"
}

func looksLikeHTML(b []byte) bool {
	b = bytes.ToLower(bytes.TrimLeft(b[:min(len(b), 512)], " \t\r\n\ufeff"))
	return bytes.HasPrefix(b, []byte("<!doctype html")) || bytes.HasPrefix(b, []byte("<html"))
}

// gitBlobID is the git object id of a file of size bytes.
func gitBlobID(path string, size int64) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	sum := sha1.New()
	fmt.Fprintf(sum, "blob %d\x00", size)
	if _, err := io.Copy(sum, f); err != nil {
		return "", err
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}
