package k8s

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var regen = flag.Bool("regen", false, "write the golden manifests again")

// jobs are those whose manifests are kept; tools/k8s checks them against Kubernetes' types.
var jobs = map[string]Job{
	"volume": {
		Name: "gaze-0123456789ab", Image: "registry.example/gaze:1", Shards: 95, PerIndex: 10, Parallel: 4, CPU: "4", Memory: "4Gi",
		Command: []string{"/gaze/bin/gaze", "batch", "work", "/data/a job: \"$(HOME)\"", "--block", "10", "--shard"},
		Mounts:  []Mount{{"photos", "/data"}, {"models", "/home/gaze/.cache/gaze"}},
	},
	"bucket": {
		Name: "gaze-0123456789ab", Namespace: "vision", Image: "registry.example/gaze:1", Shards: 7, PerIndex: 1, Parallel: 100,
		CPU: "500m", Memory: "1.5G", GPUs: 1, Secret: "s3-keys", Env: map[string]string{"GOMLX_BACKEND": "xla:cuda", "A": "1"},
		Command: []string{"gaze", "batch", "work", "s3://photos/job", "--block", "1", "--shard"},
	},
}

func TestManifest(t *testing.T) {
	for name, job := range jobs {
		t.Run(name, func(t *testing.T) {
			got, err := job.Manifest()
			if err != nil {
				t.Fatal(err)
			}
			golden := filepath.Join("testdata", name+".yaml")
			if *regen {
				if err := os.WriteFile(golden, []byte(got), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if got != string(want) {
				t.Errorf("the manifest has changed; if that's right, run with -regen and tools/k8s' tests:\n%s", got)
			}
		})
	}
}

func TestManifestRefuses(t *testing.T) {
	for want, change := range map[string]func(*Job){
		"name":                  func(j *Job) { j.Name = "Gaze" },
		"namespace":             func(j *Job) { j.Namespace = "-a" },
		"secret":                func(j *Job) { j.Secret = strings.Repeat("a", 64) },
		"no image":              func(j *Job) { j.Image = "a b" },
		"no shards":             func(j *Job) { j.Shards = 0 },
		"10001 indexes":         func(j *Job) { j.Shards, j.PerIndex = 10_001, 1 },
		"pods at a time":        func(j *Job) { j.Parallel = 0 },
		"-1 GPUs":               func(j *Job) { j.GPUs = -1 },
		`"4 Gi" is no quantity`: func(j *Job) { j.Memory = "4 Gi" },
		`"0" is no quantity`:    func(j *Job) { j.CPU = "0" },
		`"1e3" is no quantity`:  func(j *Job) { j.CPU = "1e3" },
		`"4iG" is no quantity`:  func(j *Job) { j.Memory = "4iG" },
	} {
		job := jobs["volume"]
		change(&job)
		if text, err := job.Manifest(); err == nil || text != "" || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, not %q", err, want)
		}
	}
}

func TestPerIndex(t *testing.T) {
	for _, c := range []struct{ shards, atLeast, want int }{{10, 0, 1}, {10, 3, 3}, {10_000, 1, 1}, {10_001, 1, 2}, {1_000_000, 7, 100}} {
		if got := PerIndex(c.shards, c.atLeast); got != c.want {
			t.Errorf("%+v: %d", c, got)
		}
	}
}

func TestMounts(t *testing.T) {
	m, err := ParseMount("photos=/data/a")
	if err != nil || m != (Mount{"photos", "/data/a"}) {
		t.Errorf("%+v, %v", m, err)
	}
	for _, text := range []string{"", "photos", "=/data", "photos=data", "Photos=/data", "photos=/data/", "photos=/a:b"} {
		if _, err := ParseMount(text); err == nil {
			t.Errorf("%q is taken", text)
		}
	}
	for at, want := range map[string]bool{"/data/a": true, "/data/a/job": true, "/data/ab": false, "/data": false} {
		if Holds([]Mount{m}, at) != want {
			t.Errorf("%s: not %v", at, want)
		}
	}
}

func FuzzParseMount(f *testing.F) {
	f.Add("photos=/data")
	f.Add("a=b=/c")
	f.Fuzz(func(t *testing.T, text string) {
		if m, err := ParseMount(text); err == nil && m.Claim+"="+m.Path != text {
			t.Errorf("%q is read as %+v", text, m)
		}
	})
}
