package hub

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// A repository that isn't in the catalogue: its files are found by requesting the usual
// names.

// weightFiles are the usual names of weight files in repositories, preferred ones first.
var weightFiles = []string{"model.safetensors", "model.safetensors.index.json", "pytorch_model.bin", "pytorch_model.bin.index.json"}

// besideFiles are the configuration files, all optional.
var besideFiles = []string{"config.json", "preprocessor_config.json", "processor_config.json"}

// fetchRepository downloads a repository's weights, with all shards, and its
// configuration files. The weights come first in the record.
func (c Checkpoint) fetchRepository(ctx context.Context, dir string, o Options) (Record, error) {
	r := Record{Name: c.Name, Source: fmt.Sprintf("%s, %s at %s", c.Host, c.Repo, c.Revision), License: c.License, Page: c.Page}
	if licence := c.statedLicence(ctx, o); licence != "" {
		r.License = licence
	}
	folder := ""
	if c.from.file != "" {
		folder = path.Dir(c.from.file)
	}
	var beside []RecordFile
	for _, name := range besideFiles {
		f, err := c.fetchOne(ctx, path.Join(folder, name), dir, o)
		switch {
		case errors.Is(err, errMissing):
		case err != nil:
			return Record{}, c.explain(err)
		default:
			beside = append(beside, f)
		}
	}
	if len(beside) == 0 {
		o.log("%s: it has no configuration file: settings that the weights don't determine get default values", c.Name)
	}
	weights, err := c.fetchWeights(ctx, dir, o)
	if err != nil {
		return Record{}, c.explain(err)
	}
	r.Files = append(weights, beside...)
	return r, nil
}

// fetchWeights downloads the requested file or, if none is named, the first of the
// usual names that exists, and the shards it lists.
func (c Checkpoint) fetchWeights(ctx context.Context, dir string, o Options) ([]RecordFile, error) {
	names := weightFiles
	if c.from.file != "" {
		names = []string{c.from.file}
	}
	for _, name := range names {
		f, err := c.fetchOne(ctx, name, dir, o)
		if errors.Is(err, errMissing) {
			continue
		}
		if err != nil {
			return nil, err
		}
		files := []RecordFile{f}
		if !strings.HasSuffix(name, ".index.json") {
			return files, nil
		}
		shards, err := shardsOf(filepath.Join(dir, f.Name))
		if err != nil {
			return nil, err
		}
		for _, shard := range shards {
			f, err := c.fetchOne(ctx, path.Join(path.Dir(name), shard), dir, o)
			if err != nil {
				return nil, err
			}
			files = append(files, f)
		}
		return files, nil
	}
	return nil, fmt.Errorf("hub: %s has none of %s at %s: if its weights are under another name, give that file's address, https://huggingface.co/%s/blob/%s/…",
		c.Repo, strings.Join(names, ", "), c.Revision, c.Repo, c.Revision)
}

// fetchOne downloads a file of the repository.
func (c Checkpoint) fetchOne(ctx context.Context, remote, dir string, o Options) (RecordFile, error) {
	name := path.Base(remote)
	escaped := (&url.URL{Path: remote}).EscapedPath()
	d := o.download(c.url(File{Name: escaped}), filepath.Join(dir, name))
	got, err := Fetch(ctx, d)
	if err != nil {
		return RecordFile{}, err
	}
	return RecordFile{Name: name, Size: got.Size, SHA256: got.SHA256, URL: withoutLogin(d.URL)}, nil
}

// explain adds advice to Hugging Face's answer for a repository that doesn't exist.
func (c Checkpoint) explain(err error) error {
	if errors.Is(err, ErrRefused) && !errors.Is(err, errMissing) {
		return fmt.Errorf("%w; check that the repository %s exists and is public: %s", err, c.Repo, c.Page)
	}
	return err
}

// shardsOf lists the files named in a shard index.
func shardsOf(path string) ([]string, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var index struct {
		WeightMap map[string]string `json:"weight_map"`
	}
	if err := json.Unmarshal(data, &index); err != nil {
		return nil, fmt.Errorf("hub: %s: not a shard index: %w", path, err)
	}
	var shards []string
	for _, name := range index.WeightMap {
		if name != filepath.Base(name) || strings.HasPrefix(name, ".") || strings.ContainsAny(name, `/\`) {
			return nil, fmt.Errorf("hub: %s: it names a shard %q outside its folder", path, name)
		}
		shards = append(shards, name)
	}
	if len(shards) == 0 {
		return nil, fmt.Errorf("hub: %s: the shard index lists no shards", path)
	}
	slices.Sort(shards)
	return slices.Compact(shards), nil
}

// statedLicence returns the licence stated by the repository's page, or "" if there is
// none or the page can't be read. It makes one short request; a failure is ignored.
func (c Checkpoint) statedLicence(ctx context.Context, o Options) string {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, endpoint(HuggingFace)+"/api/models/"+c.Repo, nil)
	if err != nil {
		return ""
	}
	client := o.Client
	if client == nil {
		client = sharedClient
	}
	resp, err := client.Do(req)
	if err != nil {
		return ""
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(io.LimitReader(resp.Body, 8<<20))
	if err != nil || resp.StatusCode != http.StatusOK {
		return ""
	}
	return licenceIn(data)
}

// licenceIn finds the licence in the hub's description of a repository.
func licenceIn(data []byte) string {
	var about struct {
		Tags []string `json:"tags"`
		Card struct {
			License any `json:"license"`
		} `json:"cardData"`
	}
	if json.Unmarshal(data, &about) != nil {
		return ""
	}
	licence, _ := about.Card.License.(string)
	for _, tag := range about.Tags {
		if text, ok := strings.CutPrefix(tag, "license:"); ok && licence == "" {
			licence = text
		}
	}
	if len(licence) > 100 || strings.ContainsFunc(licence, func(r rune) bool { return r < ' ' }) {
		return ""
	}
	return licence
}
