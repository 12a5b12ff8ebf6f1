package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	"github.com/gomlx/compute"
	"github.com/spf13/cobra"

	"gaze/pkg/batch/k8s"
	"gaze/pkg/batch/store"
)

// k8sFlags are the flags of `gaze batch k8s`.
type k8sFlags struct {
	job      k8s.Job
	gaze     string
	perIndex int
	claims   []string
}

func newBatchK8s() *cobra.Command {
	var flags k8sFlags
	cmd := &cobra.Command{
		Use:   "k8s JOB",
		Short: "Print the manifest of a Kubernetes Job that runs a job",
		Long: "Print the manifest of a Kubernetes Job that works on all shards. It is an Indexed Job: each of\n" +
			"its indexes is a block of shards, whose pod is started again by itself if it fails. What is done\n" +
			"already is passed over, so the Job can be created again. JOB, the pictures and the models must be\n" +
			"in buckets or on volumes that pods see at the same paths (--claim).",
		Example: "  gaze batch k8s /data/job --image registry.example/gaze:1 --parallel 8 --claim photos=/data | kubectl create -f -\n" +
			"  gaze batch k8s s3://photos/job --image registry.example/gaze:1 --secret s3-keys --gpus 1",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return flags.run(cmd, args[0]) },
	}
	f := cmd.Flags()
	f.StringVar(&flags.job.Image, "image", "gaze:latest", "container image with gaze, as docker/Dockerfile makes it")
	f.StringVar(&flags.gaze, "gaze", "/gaze/bin/gaze", "path of gaze in the image")
	f.IntVar(&flags.job.Parallel, "parallel", 1, "pods that work at a time")
	f.IntVar(&flags.perIndex, "per-index", 0, "shards of an index, whose pod opens the model once (default: enough for 1000 pictures)")
	f.StringArrayVar(&flags.claims, "claim", nil, "a PersistentVolumeClaim and the path at which pods see it, CLAIM=PATH; may be given several times")
	f.StringVar(&flags.job.Secret, "secret", "", "a Secret whose keys become environment variables, such as a bucket's credentials")
	f.StringVar(&flags.job.Namespace, "namespace", "", "namespace of the Job (default: kubectl's)")
	f.StringVar(&flags.job.CPU, "cpu", "4", "processors that a pod asks for")
	f.StringVar(&flags.job.Memory, "memory", "4Gi", "memory that a pod asks for, and at most has")
	f.IntVar(&flags.job.GPUs, "gpus", 0, "NVIDIA GPUs of a pod: 1, or 0 for the CPU")
	return cmd
}

func (k *k8sFlags) run(cmd *cobra.Command, job string) error {
	j, err := openJob(cmd, job)
	if err != nil {
		return err
	}
	for _, text := range k.claims {
		m, err := k8s.ParseMount(text)
		if err != nil {
			return misuse(cmd, fmt.Errorf("--claim %w", err))
		}
		k.job.Mounts = append(k.job.Mounts, m)
	}
	at := j.Store.String()
	if !store.IsURL(at) && !k8s.Holds(k.job.Mounts, filepath.ToSlash(at)) {
		return misuse(cmd, fmt.Errorf("%s is a folder here: name the claim of the volume with it, and the path at which pods see it (--claim NAME=PATH)", at))
	}
	switch {
	case k.perIndex < 0:
		return misuse(cmd, errors.New("--per-index: it must be at least 1"))
	case k.job.GPUs > 1:
		return misuse(cmd, errors.New("--gpus: a pod uses one, so that more are wasted: have more pods work at a time (--parallel)"))
	}
	if k.perIndex == 0 {
		k.perIndex = len(j.Divide(make([]int, j.Shards()), 0, 0)[0])
	}
	k.job.Name = "gaze-" + j.ID[:12]
	k.job.Shards = j.Shards()
	k.job.PerIndex = k8s.PerIndex(k.job.Shards, k.perIndex)
	k.job.Command = []string{k.gaze, "batch", "work", at, "--block", strconv.Itoa(k.job.PerIndex), "--shard"}
	if chosen := os.Getenv(compute.ConfigEnvVar); chosen != "" {
		k.job.Env = map[string]string{compute.ConfigEnvVar: chosen}
	} else if k.job.GPUs > 0 {
		k.job.Env = map[string]string{compute.ConfigEnvVar: "xla:cuda"}
	}
	text, err := k.job.Manifest()
	if err != nil {
		return misuse(cmd, err)
	}
	_, err = fmt.Fprint(cmd.OutOrStdout(), text)
	return err
}
