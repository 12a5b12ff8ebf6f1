// Package k8s writes the manifest of a Kubernetes Job that works on the shards of a job: an
// Indexed Job, whose pods each work on a block of shards and are started again one by one.
package k8s

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"
)

// MaxIndexes is the largest number of indexes of a Job. Kubernetes takes 100,000, but keeps
// the finished and failed ones as text in the Job's status, and each pod is an object.
const MaxIndexes = 10_000

// BackoffLimit is how often the pod of an index is started again before the index counts as
// failed.
const BackoffLimit = 4

// Mount is a PersistentVolumeClaim and the path at which pods see it.
type Mount struct {
	Claim string
	Path  string
}

// ParseMount reads CLAIM=PATH.
func ParseMount(text string) (Mount, error) {
	claim, at, _ := strings.Cut(text, "=")
	if !isName(claim) || !path.IsAbs(at) || path.Clean(at) != at || strings.Contains(at, ":") {
		return Mount{}, fmt.Errorf("%q: it must be a claim and the path at which pods see it, such as photos=/data", text)
	}
	return Mount{claim, at}, nil
}

// Job describes the Kubernetes Job.
type Job struct {
	Name      string
	Namespace string // "": kubectl's
	Image     string
	Command   []string          // of a pod, which gets the number of its block as the last argument
	Shards    int               // of the job
	PerIndex  int               // shards of an index
	Parallel  int               // pods at a time
	CPU       string            // that a pod asks for, such as "4"
	Memory    string            // that a pod asks for and may have, such as "4Gi"
	GPUs      int               // of a pod
	Mounts    []Mount           // volumes with the job, the pictures, the models
	Secret    string            // whose keys become environment variables, such as a bucket's credentials; "": none
	Env       map[string]string // further environment variables
}

// Indexes is the number of indexes.
func (j Job) Indexes() int { return (j.Shards + j.PerIndex - 1) / j.PerIndex }

// PerIndex is how many shards an index gets: at least the given number, and enough for there
// to be at most [MaxIndexes] indexes.
func PerIndex(shards, atLeast int) int {
	return max(1, atLeast, (shards+MaxIndexes-1)/MaxIndexes)
}

// check is an error if Kubernetes would refuse the Job.
func (j Job) check() error {
	switch {
	case !isName(j.Name):
		return fmt.Errorf("the name %q: Kubernetes takes at most 63 small letters, digits and -", j.Name)
	case j.Namespace != "" && !isName(j.Namespace):
		return fmt.Errorf("the namespace %q: Kubernetes takes at most 63 small letters, digits and -", j.Namespace)
	case j.Secret != "" && !isName(j.Secret):
		return fmt.Errorf("the secret %q: Kubernetes takes at most 63 small letters, digits and -", j.Secret)
	case j.Image == "" || strings.ContainsAny(j.Image, " \t\n"):
		return fmt.Errorf("%q is no image", j.Image)
	case j.Shards < 1 || j.PerIndex < 1:
		return errors.New("there are no shards to work on")
	case j.Indexes() > MaxIndexes:
		return fmt.Errorf("%d indexes are more than %d: give each more shards", j.Indexes(), MaxIndexes)
	case j.Parallel < 1:
		return fmt.Errorf("%d pods at a time: it must be at least 1", j.Parallel)
	case j.GPUs < 0:
		return fmt.Errorf("%d GPUs: it must be at least 0", j.GPUs)
	}
	for _, q := range []string{j.CPU, j.Memory} {
		if !isQuantity(q) {
			return fmt.Errorf("%q is no quantity of Kubernetes, such as 4, 500m or 8Gi", q)
		}
	}
	return nil
}

// isName says whether a text is a DNS label, as names of objects are here.
func isName(text string) bool {
	const inner = "abcdefghijklmnopqrstuvwxyz0123456789-"
	return text != "" && len(text) <= 63 && strings.Trim(text, inner) == "" && text[0] != '-' && text[len(text)-1] != '-'
}

// isQuantity says whether a text is an amount, as far as people write them.
func isQuantity(text string) bool {
	number := strings.TrimRight(text, "mkMGTPEi")
	if value, err := strconv.ParseFloat(number, 64); err != nil || value <= 0 || strings.Trim(number, "0123456789.") != "" {
		return false
	}
	return slices.Contains([]string{"", "m", "k", "M", "G", "T", "P", "E", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"}, text[len(number):])
}

// Manifest is the Job as YAML for 'kubectl create -f'.
func (j Job) Manifest() (string, error) {
	if err := j.check(); err != nil {
		return "", err
	}
	var b lines
	b.add(0, "apiVersion: batch/v1", "kind: Job", "metadata:")
	b.add(1, "name: "+quoted(j.Name))
	if j.Namespace != "" {
		b.add(1, "namespace: "+quoted(j.Namespace))
	}
	b.add(0, "spec:")
	b.add(1, "completionMode: Indexed", fmt.Sprintf("completions: %d", j.Indexes()), fmt.Sprintf("parallelism: %d", min(j.Parallel, j.Indexes())),
		"# The pod of an index is started again, after ever longer pauses; an index that fails for",
		"# good doesn't end the others.",
		fmt.Sprintf("backoffLimitPerIndex: %d", BackoffLimit),
		fmt.Sprintf("maxFailedIndexes: %d", j.Indexes()),
		"# Pods that were evicted or whose node went away don't count.",
		"podFailurePolicy:")
	b.add(2, "rules:", "- action: Ignore")
	b.add(3, "onPodConditions:", "- type: DisruptionTarget", `  status: "True"`)
	b.add(2, "# Exit status 2 is wrong usage, which no repetition changes.", "- action: FailIndex")
	b.add(3, "onExitCodes:")
	b.add(4, "containerName: gaze", "operator: In", "values: [2]")
	b.add(1, "template:")
	b.add(2, "spec:")
	b.add(3, "restartPolicy: Never", "terminationGracePeriodSeconds: 60", "containers:", "- name: gaze")
	j.container(&b)
	j.volumes(&b)
	return b.String(), nil
}

// container writes the container of a pod.
func (j Job) container(b *lines) {
	b.add(4, "image: "+quoted(j.Image), "command:")
	for _, word := range j.Command {
		b.add(4, "- "+quoted(escape(word)))
	}
	b.add(4, "- $(JOB_COMPLETION_INDEX)")
	if len(j.Env) > 0 {
		b.add(4, "env:")
	}
	for _, name := range slices.Sorted(maps.Keys(j.Env)) {
		b.add(4, "- name: "+quoted(name), "  value: "+quoted(escape(j.Env[name])))
	}
	if j.Secret != "" {
		b.add(4, "envFrom:", "- secretRef:", "    name: "+quoted(j.Secret))
	}
	b.add(4, "resources:")
	b.add(5, "requests:")
	b.add(6, "cpu: "+quoted(j.CPU), "memory: "+quoted(j.Memory))
	b.add(5, "limits:")
	b.add(6, "memory: "+quoted(j.Memory))
	if j.GPUs > 0 {
		b.add(6, fmt.Sprintf("nvidia.com/gpu: %d", j.GPUs))
	}
	if len(j.Mounts) > 0 {
		b.add(4, "volumeMounts:")
	}
	for i, m := range j.Mounts {
		b.add(4, fmt.Sprintf("- name: volume-%d", i), "  mountPath: "+quoted(m.Path))
	}
}

// volumes writes the volumes of a pod.
func (j Job) volumes(b *lines) {
	if len(j.Mounts) > 0 {
		b.add(3, "volumes:")
	}
	for i, m := range j.Mounts {
		b.add(3, fmt.Sprintf("- name: volume-%d", i), "  persistentVolumeClaim:", "    claimName: "+quoted(m.Claim))
	}
}

// Holds says whether a path is within one of the mounts.
func Holds(mounts []Mount, at string) bool {
	return slices.ContainsFunc(mounts, func(m Mount) bool {
		return at == m.Path || strings.HasPrefix(at, strings.TrimSuffix(m.Path, "/")+"/")
	})
}

// escape keeps Kubernetes from replacing $(NAME) in a command or a variable.
func escape(text string) string { return strings.ReplaceAll(text, "$(", "$$(") }

// quoted is a string of YAML, of which JSON's are a part.
func quoted(text string) string {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(text) // a string can always be encoded
	return strings.TrimSuffix(b.String(), "\n")
}

// lines collects indented lines.
type lines struct{ strings.Builder }

// add adds lines at a depth.
func (l *lines) add(depth int, text ...string) {
	for _, line := range text {
		l.WriteString(strings.Repeat("  ", depth) + line + "\n")
	}
}
