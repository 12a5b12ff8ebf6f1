// Package k8s checks the manifests that 'gaze batch k8s' prints against Kubernetes' own
// types. It is a module of its own, so that those don't become requirements of Gaze.
package k8s

import (
	"os"
	"path/filepath"
	"testing"

	batch "k8s.io/api/batch/v1"
	core "k8s.io/api/core/v1"
	"sigs.k8s.io/yaml"
)

// TestManifests reads the golden manifests of pkg/batch/k8s. A field that Kubernetes doesn't
// have is an error, as is what its server refuses of an Indexed Job.
func TestManifests(t *testing.T) {
	files, err := filepath.Glob("../../pkg/batch/k8s/testdata/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no manifests: %v", err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			var job batch.Job
			if err := yaml.UnmarshalStrict(text, &job, yaml.DisallowUnknownFields); err != nil {
				t.Fatal(err)
			}
			check(t, job)
		})
	}
}

// check checks what Kubernetes' server demands (pkg/apis/batch/validation there).
func check(t *testing.T, job batch.Job) {
	s, pod := job.Spec, job.Spec.Template.Spec
	switch {
	case job.APIVersion != "batch/v1" || job.Kind != "Job" || job.Name == "":
		t.Errorf("%s %s %q is no Job of batch/v1", job.APIVersion, job.Kind, job.Name)
	case s.CompletionMode == nil || *s.CompletionMode != batch.IndexedCompletion:
		t.Error("the Job isn't Indexed")
	case s.Completions == nil || s.Parallelism == nil || *s.Completions < 1 || *s.Completions > 100_000 || *s.Parallelism < 1:
		t.Errorf("completions %v, parallelism %v", s.Completions, s.Parallelism)
	case s.BackoffLimitPerIndex == nil || s.MaxFailedIndexes == nil || *s.MaxFailedIndexes > *s.Completions:
		t.Errorf("backoffLimitPerIndex %v, maxFailedIndexes %v", s.BackoffLimitPerIndex, s.MaxFailedIndexes)
	case pod.RestartPolicy != core.RestartPolicyNever: // which backoffLimitPerIndex and podFailurePolicy demand
		t.Errorf("the restart policy is %s", pod.RestartPolicy)
	case s.PodFailurePolicy == nil || len(s.PodFailurePolicy.Rules) != 2:
		t.Error("the policy on failed pods isn't complete")
	case len(pod.Containers) != 1:
		t.Errorf("%d containers", len(pod.Containers))
	}
	container := pod.Containers[0]
	if *s.PodFailurePolicy.Rules[1].OnExitCodes.ContainerName != container.Name {
		t.Error("the policy on exit statuses is of another container")
	}
	volumes := map[string]bool{}
	for _, v := range pod.Volumes {
		volumes[v.Name] = v.PersistentVolumeClaim != nil
	}
	for _, m := range container.VolumeMounts {
		if !volumes[m.Name] {
			t.Errorf("%s is no volume with a claim", m.Name)
		}
	}
	for _, name := range []core.ResourceName{core.ResourceCPU, core.ResourceMemory} {
		if q := container.Resources.Requests[name]; q.Sign() <= 0 {
			t.Errorf("it asks for %v of %s", q, name)
		}
	}
	if last := container.Command[len(container.Command)-1]; last != "$(JOB_COMPLETION_INDEX)" {
		t.Errorf("the command ends in %q", last)
	}
}
