package hub

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"gaze/internal/atomicfile"
	"gaze/internal/environ"
	"gaze/internal/filelock"
	"gaze/pkg/data"
)

// OxfordPetsName is the catalogue name of the Oxford-IIIT Pet set.
const OxfordPetsName = "oxford-pets"

const (
	oxfordLicense = "CC-BY-SA-4.0"
	oxfordPage    = "https://www.robots.ox.ac.uk/~vgg/data/pets/"
)

// oxfordArchives are the set's files as published, the small one first, so that a
// refusing server is noticed at once. Their MD5, as in torchvision:
// 95a8c909bbe2e81eed6a22bccdf3f68f and 5c4f3ee8e5d25df40f4fd59a7f44e54c.
var oxfordArchives = []File{
	{Name: "annotations.tar.gz", Size: 19173078, SHA256: "52425fb6de5c424942b7626b428656fcbd798db970a937df61750c0f1d358e91"},
	{Name: "images.tar.gz", Size: 791918971, SHA256: "67195c5e1c01f1ab5f9b6a5d22b8c27a580d896ece458917e61d459337fa318d"},
}

// oxfordPlaces are the addresses of the folders that hold the archives.
var oxfordPlaces = []string{"https://thor.robots.ox.ac.uk/~vgg/data/pets", "https://www.robots.ox.ac.uk/~vgg/data/pets/data"}

// oxfordEndpoints are the addresses to try in turn. An invalid address is an error here,
// before any request is made and retried.
func oxfordEndpoints() ([]string, error) {
	own, err := environ.Endpoint("GAZE_OXFORD_ENDPOINT", "")
	if err != nil {
		return nil, fmt.Errorf("hub: %w", err)
	}
	if own == "" {
		return oxfordPlaces, nil
	}
	return []string{own}, nil
}

// OxfordPets fetches the Oxford-IIIT Pet set (811 MB) and converts it to a data set
// with [data.ConvertOxfordPets], in the folder dir or, if dir is "", in the cache. The
// archives are removed afterwards. If dir already holds the set, OxfordPets returns at
// once; a set that an earlier version converted, without trimaps and boxes, is kept, with a
// message. An interrupted download is resumed.
func OxfordPets(ctx context.Context, dir string, o Options) (Result, error) {
	cache, err := CacheDir()
	if err != nil {
		return Result{}, err
	}
	if dir == "" {
		dir = filepath.Join(cache, "data", OxfordPetsName)
	}
	r := Result{Dir: dir, Path: dir, Record: Record{Name: OxfordPetsName, License: oxfordLicense, Page: oxfordPage, Source: oxfordPage}}
	if r.Cached = isOxfordPets(dir); r.Cached {
		if _, err := os.Stat(filepath.Join(dir, "index.csv")); errors.Is(err, os.ErrNotExist) {
			o.log("%s: %s was converted by an earlier version, without trimaps and boxes around heads: remove it to fetch the set again", OxfordPetsName, dir)
		}
		return r, nil
	}
	if err := atomicfile.CheckNewFolder(dir); err != nil {
		return Result{}, fmt.Errorf("hub: %w", err)
	}
	archives := filepath.Join(cache, "downloads", OxfordPetsName)
	if err := os.MkdirAll(archives, 0o755); err != nil {
		return Result{}, fmt.Errorf("hub: making the cache folder (GAZE_CACHE sets another): %w", err)
	}
	release, err := filelock.Lock(ctx, archives+".lock", func() {
		o.log("%s: another process is fetching it, waiting", OxfordPetsName)
	})
	if err != nil {
		return Result{}, err
	}
	defer release()
	if r.Cached = isOxfordPets(dir); r.Cached { // the other process fetched it
		return r, nil
	}
	from, err := fetchOxford(ctx, archives, o)
	if err != nil {
		return Result{}, err
	}
	r.Source = from
	o.log("%s: unpacking and decoding its pictures", OxfordPetsName)
	err = data.ConvertOxfordPets(ctx, filepath.Join(archives, "images.tar.gz"), filepath.Join(archives, "annotations.tar.gz"), dir, data.OxfordPetsOptions{
		Source: "From " + from + "; more about it: " + oxfordPage,
		Log:    func(s string) { o.log("%s", s) },
	})
	if err != nil {
		return Result{}, err
	}
	return r, os.RemoveAll(archives)
}

// isOxfordPets reports whether a folder was made by OxfordPets. Such a folder is always
// complete, because it is renamed into place.
func isOxfordPets(dir string) bool {
	text, err := os.ReadFile(filepath.Join(dir, "README.txt"))
	return err == nil && strings.HasPrefix(string(text), data.OxfordPetsTitle)
}

// fetchOxford downloads the archives from the first address that provides them and
// returns that address.
func fetchOxford(ctx context.Context, dir string, o Options) (from string, err error) {
	places, err := oxfordEndpoints()
	if err != nil {
		return "", err
	}
	var failed []error
	for i, base := range places {
		if i > 0 {
			o.log("%s: %v", OxfordPetsName, failed[i-1])
			o.log("%s: trying %s", OxfordPetsName, base)
		}
		err := fetchFiles(ctx, base, dir, oxfordArchives, o)
		if err == nil {
			return withoutLogin(base), nil
		}
		if !errors.Is(err, ErrUnreachable) && !errors.Is(err, ErrRefused) {
			return "", err
		}
		failed = append(failed, err)
	}
	return "", errors.Join(failed...)
}

// fetchFiles downloads the files that aren't in a folder yet.
func fetchFiles(ctx context.Context, base, dir string, files []File, o Options) error {
	for _, f := range files {
		path := filepath.Join(dir, f.Name)
		if info, err := os.Stat(path); err == nil && info.Size() == f.Size {
			if sum, err := fileSHA256(path); err == nil && sum == f.SHA256 {
				continue
			}
		}
		d := o.download(base+"/"+f.Name, path)
		d.Size, d.SHA256 = f.Size, f.SHA256
		if _, err := Fetch(ctx, d); err != nil {
			return err
		}
	}
	return nil
}
